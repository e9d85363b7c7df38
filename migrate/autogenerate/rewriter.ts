import type {
  Operation,
  TableChange,
  TableReference,
} from "../operations/operation.ts";

/** What a rewriter visits: operations, and the changes inside `alterTable`. */
export type Rewritable = Operation | TableChange;

/** What of a kind is visited. */
export type Visited<K extends Rewritable["kind"]> = Extract<
  Rewritable,
  { readonly kind: K }
>;

/** What may stand where it stood. */
export type Peer<K extends Rewritable["kind"]> = Visited<K> extends Operation
  ? Operation
  : TableChange;

/**
 * Says what takes the place of an operation or change: itself (`undefined`),
 * another, several, or nothing (`null`).
 *
 * @param table The table that a change is about.
 */
export type Rewrite<K extends Rewritable["kind"]> = (
  item: Visited<K>,
  table: TableReference | undefined,
) => Peer<K> | readonly Peer<K>[] | null | undefined;

type Rewrites = { [K in Rewritable["kind"]]?: Rewrite<K> };

/**
 * Changes what a comparison has found before it is written, kind by kind.
 *
 * Each operation is visited once, from the outside in; what a function puts in
 * the place of something is not visited again. An `alterTable` that loses all
 * of its changes goes as well.
 *
 * @example New columns may be NULL at first
 * ```ts
 * import { Rewriter } from "@aludel/aludel/migrate";
 * import { integer } from "@aludel/aludel/sql";
 * import { equal } from "node:assert/strict";
 *
 * const { apply } = new Rewriter().on("addColumn", (change) => ({
 *   ...change,
 *   column: change.column.nullable(),
 * }));
 * const [altered] = apply([{
 *   kind: "alterTable",
 *   table: "users",
 *   recreate: "auto",
 *   changes: [{ kind: "addColumn", name: "age", column: integer(), ifNotExists: false }],
 * }]);
 * const [added] = altered?.kind === "alterTable" ? altered.changes : [];
 * equal(added?.kind === "addColumn" && added.column.spec.nullable, true);
 * ```
 */
export class Rewriter {
  readonly #rewrites: Rewrites = {};
  /** The rewriters that come after this one, in order. */
  readonly #after: Rewriter[] = [];

  /** Says what takes the place of a kind. A later function replaces an earlier one. */
  on<K extends Rewritable["kind"]>(kind: K, rewrite: Rewrite<K>): this {
    const rewrites: { [P in K]?: Rewrite<P> } = this.#rewrites;
    rewrites[kind] = rewrite;
    return this;
  }

  /** Lets another rewriter visit what this one leaves. */
  chain(other: Rewriter): this {
    this.#after.push(other);
    return this;
  }

  /** Rewrites operations, for `autogenerate: { rewrite: … }` in `env.ts`. */
  readonly apply = (operations: readonly Operation[]): readonly Operation[] => {
    const rewritten = operations.flatMap((operation) =>
      this.#visit(operation.kind, operation).flatMap((one) => this.#inside(one))
    );
    return this.#after.reduce<readonly Operation[]>(
      (found, { apply }) => apply(found),
      rewritten,
    );
  };

  /** An operation with what is in it rewritten; nothing if nothing is left in it. */
  #inside(operation: Operation): Operation[] {
    if (operation.kind === "autocommitBlock") {
      const operations = operation.operations.flatMap((inner) =>
        this.#visit(inner.kind, inner).flatMap((one) => this.#inside(one))
      );
      return operations.length === 0 ? [] : [{ ...operation, operations }];
    }
    if (operation.kind !== "alterTable") return [operation];
    const changes = operation.changes.flatMap((change) =>
      this.#visit(change.kind, change, operation)
    );
    return changes.length === 0 ? [] : [{ ...operation, changes }];
  }

  #visit<K extends Rewritable["kind"]>(
    kind: K,
    item: Visited<K> & Peer<K>,
    table?: TableReference,
  ): readonly Peer<K>[] {
    const rewrite = this.#rewrites[kind];
    const found = rewrite?.(item, table);
    if (found === null) return [];
    return found === undefined ? [item] : isList(found) ? found : [found];
  }
}

function isList<T>(found: T | readonly T[]): found is readonly T[] {
  return Array.isArray(found);
}
