import type { Dialect } from "../../sql/mod.ts";
import { OperationError } from "./errors.ts";
import type { CustomOperation, Operation } from "./operation.ts";
import { Operations, type OperationsOptions } from "./operations.ts";

/** Records the operations that a custom one stands for on one database. */
export type Implementation<Args extends object> = (
  op: Operations,
  args: Args,
  dialect: Dialect,
) => void;

/** What a custom operation says of itself. */
export interface OperationDefinitionOptions<Args extends object> {
  /**
   * The operation that undoes it.
   *
   * @default the inverse of what it stands for
   */
  readonly reverse?: (args: Args) => Operation;
  /** Where revisions import it from, under its name: for those that are written. */
  readonly module?: string;
}

/**
 * An operation of one's own: what it is called, what it takes, and what it
 * stands for on each database. Made by {@linkcode defineOperation}.
 *
 * @typeParam Args What it takes, as plain data.
 */
export class OperationDefinition<Args extends object> {
  /** What it is called. */
  readonly name: string;
  readonly #options: OperationDefinitionOptions<Args>;
  /** What it stands for, by the dialect's name; `"*"` is for all others. */
  readonly #implementations: ReadonlyMap<string, Implementation<Args>>;

  /** @internal */
  constructor(
    name: string,
    options: OperationDefinitionOptions<Args>,
    implementations: ReadonlyMap<string, Implementation<Args>>,
  ) {
    this.name = name;
    this.#options = options;
    this.#implementations = implementations;
  }

  /**
   * Says what it stands for on one database. Returns another definition.
   *
   * @param dialect The dialect's name, or `"*"` for all that have none of their own.
   * @param options.replace Whether it takes the place of one that there is. @default {false}
   * @throws {OperationError} If there is one, and it is not to be replaced.
   */
  implement(
    dialect: string,
    implementation: Implementation<Args>,
    { replace = false }: { readonly replace?: boolean } = {},
  ): OperationDefinition<Args> {
    if (this.#implementations.has(dialect) && !replace) {
      throw new OperationError(
        `Cannot implement ${this.name}() for '${dialect}': there is an implementation; say { replace: true } to take its place`,
      );
    }
    const all = new Map(this.#implementations).set(dialect, implementation);
    return new OperationDefinition(this.name, this.#options, all);
  }

  /** One operation of the kind, as data: for `op.invoke()`, and for `reverse`. */
  operation(args: Args, options: OperationsOptions = {}): CustomOperation {
    const { reverse, module } = this.#options;
    return {
      kind: "custom",
      name: this.name,
      args,
      ...(module === undefined ? {} : { module }),
      ...(reverse ? { reverse: () => reverse(args) } : {}),
      standsFor: (dialect) => {
        const op = new Operations(options);
        this.#implementation(dialect)(op, args, dialect);
        return op.take();
      },
    };
  }

  #implementation({ name }: Dialect): Implementation<Args> {
    const all = this.#implementations;
    const found = all.get(name) ?? all.get("*");
    if (found) return found;
    const known = [...all.keys()].map((each) => `'${each}'`).join(", ");
    throw new OperationError(
      `Cannot plan ${this.name}() for dialect '${name}': it is implemented for ${
        known || "none"
      }; add implement('${name}', …)`,
    );
  }
}

/**
 * Defines an operation of one's own. It stands for operations that there are,
 * so whatever is done with those is done with it: it is planned, checked,
 * written into scripts, and reversed.
 *
 * @example A view, and a materialized one where there are such
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, defineOperation, revision, upgradeScript } from "@aludel/aludel/migrate";
 * import { createEngine } from "@aludel/aludel/sql";
 * import { match } from "node:assert/strict";
 *
 * interface View {
 *   readonly name: string;
 *   readonly select: string;
 * }
 * const createView = defineOperation<View>("createView")
 *   .implement("*", (op, { name, select }) =>
 *     op.execute(`CREATE VIEW ${name} AS ${select}`, {
 *       undo: `DROP VIEW ${name}`,
 *     }))
 *   .implement("postgres", (op, { name, select }) =>
 *     op.execute(`CREATE MATERIALIZED VIEW ${name} AS ${select}`, {
 *       undo: `DROP MATERIALIZED VIEW ${name}`,
 *     }));
 *
 * const migrator = createMigrator({
 *   engine: createEngine(sqlite(":memory:")),
 *   revisions: [revision({
 *     revision: "1e0c77aa90b1",
 *     upgrade: (op) => op.invoke(createView, { name: "one", select: "SELECT 1" }),
 *     downgrade: "reverse",
 *   })],
 * });
 * match(await upgradeScript(migrator, "head"), /CREATE VIEW one AS SELECT 1;/);
 * ```
 *
 * @typeParam Args What it takes, as plain data.
 * @param name What it is called, and the name under which revisions import it.
 */
export function defineOperation<Args extends object>(
  name: string,
  options: OperationDefinitionOptions<Args> = {},
): OperationDefinition<Args> {
  return new OperationDefinition(name, options, new Map());
}
