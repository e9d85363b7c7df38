import {
  ColumnBuilder,
  type Dialect,
  inlineSql,
  type Table,
} from "../../sql/mod.ts";
import { OperationError } from "../operations/errors.ts";
import { judge, judgeChange } from "../lint.ts";
import type {
  AlterTable,
  CustomOperation,
  Execute,
  Operation,
  TableReference,
} from "../operations/operation.ts";
import { draftOf } from "../schema/draft.ts";
import { referenceTo, SchemaSnapshot } from "../schema/snapshot.ts";
import { isSameTable } from "./compare.ts";
import { changeSource } from "./render_change.ts";
import {
  columnSource,
  constraintSource,
  type RenderContext,
  type RenderedItem,
} from "./render_column.ts";
import {
  call,
  Imports,
  indented,
  isOmitted,
  keyOf,
  listOf,
  objectOf,
  OMITTED,
  quoted,
} from "./source.ts";

/** How operations are written as source. */
export interface RenderOptions {
  /** The language in which expressions are written. */
  readonly dialect: Dialect;
  /**
   * The schema as earlier revisions describe it. What they do not describe is
   * written into the operation, so that it can be planned and undone.
   *
   * @default nothing is described
   */
  readonly known?: SchemaSnapshot;
  /**
   * Writes one thing in a way of your own; `undefined` leaves it as it is,
   * `null` leaves it out.
   *
   * @param imports Takes up what the source needs: `imports.use("money", "../types.ts")`.
   */
  readonly renderItem?: (
    kind: RenderedItem,
    object: unknown,
    imports: Imports,
  ) => string | null | undefined;
  /** The imports so far. @default none */
  readonly imports?: Imports;
}

/** Source that records operations. */
export interface RenderedOperations {
  /** The statements, a line or more each; empty where there is nothing to do. */
  readonly body: string;
  /** What they import. */
  readonly imports: Imports;
}

/**
 * Writes operations as the TypeScript that records them: the inside of
 * `upgrade(op) { … }`.
 *
 * @example
 * ```ts
 * import { renderOperations } from "@aludel/aludel/migrate";
 * import { sqlite } from "@aludel/aludel/sql";
 * import { equal } from "node:assert/strict";
 *
 * const { body } = renderOperations(
 *   [{ kind: "renameTable", table: "people", to: "persons" }],
 *   { dialect: sqlite },
 * );
 * equal(body, 'op.renameTable("people", "persons");');
 * ```
 */
export function renderOperations(
  operations: readonly Operation[],
  options: RenderOptions,
): RenderedOperations {
  const imports = options.imports ?? new Imports();
  const lines = new Renderer({ ...options, imports }).all(operations);
  return { body: lines.join("\n"), imports };
}

class Renderer {
  readonly #context: RenderContext;
  /** The schema before the operation that is written. */
  readonly #known: SchemaSnapshot;

  constructor(options: RenderOptions & { readonly imports: Imports }) {
    const { dialect, imports, renderItem } = options;
    this.#known = options.known?.copy() ?? new SchemaSnapshot(dialect);
    this.#context = {
      dialect,
      imports,
      item: (kind, object) => {
        const own = renderItem?.(kind, object, imports);
        return own === null ? OMITTED : own;
      },
    };
  }

  all(operations: readonly Operation[]): string[] {
    return operations.flatMap((operation) => {
      const source = this.#operation(operation);
      this.#known.apply(this.#asWritten(operation));
      return isOmitted(source) ? [] : [...dangers(operation), `${source};`];
    });
  }

  /** The operation as it will be read: without what is not written. */
  #asWritten(operation: Operation): Operation {
    if (operation.kind !== "alterTable") return operation;
    const { original, referring, ...rest } = operation;
    const unknown = this.#unknown(operation);
    return {
      ...rest,
      ...(original && !this.#isDescribed(operation) ? { original } : {}),
      ...(referring && unknown.length > 0 ? { referring: unknown } : {}),
    };
  }

  #operation(operation: Operation): string {
    switch (operation.kind) {
      case "createTable":
        return this.#createTable(operation.table, operation.ifNotExists);
      case "dropTable":
        return call(
          "op.dropTable",
          quoted(operation.table),
          objectOf({
            schema: schemaOf(operation),
            ifExists: operation.ifExists ? "true" : undefined,
            original: this.#original(operation),
          }),
        );
      case "renameTable":
        return call(
          "op.renameTable",
          quoted(operation.table),
          quoted(operation.to),
          objectOf({ schema: schemaOf(operation) }),
        );
      case "alterTable":
        return this.#alterTable(operation);
      case "execute":
        return call(
          "op.execute",
          this.#statement(operation.statement),
          objectOf({
            undo: operation.undo && this.#statement(operation.undo),
          }),
        );
      case "bulkInsert":
        return call(
          "op.bulkInsert",
          quoted(operation.table),
          JSON.stringify(operation.rows, null, 2),
        );
      case "custom":
        return this.#custom(operation);
      case "autocommitBlock":
        return `op.autocommitBlock((op) => {\n${
          indented(this.all(operation.operations).join("\n"))
        }\n})`;
    }
  }

  #custom({ name, args, module }: CustomOperation): string {
    if (module === undefined) {
      throw new OperationError(
        `Cannot write ${name}(): it is not known where it comes from; give module to defineOperation()`,
      );
    }
    return call(
      "op.invoke",
      this.#context.imports.use(name, module),
      JSON.stringify(args, null, 2),
    );
  }

  #statement(statement: Execute["statement"]): string {
    return quoted(
      typeof statement === "string"
        ? statement
        : inlineSql(statement, this.#context.dialect),
    );
  }

  #createTable(table: Table, ifNotExists: boolean): string {
    const options = objectOf({
      ...tableOptions(table),
      ifNotExists: ifNotExists ? "true" : undefined,
    });
    const [name, columns, constraints = options && "[]"] = this.#tableParts(
      table,
    );
    return call("op.createTable", name, columns, constraints, options);
  }

  /** A table's name, columns and constraints. */
  #tableParts(table: Table): (string | undefined)[] {
    const columns = table.columns.flatMap(({ name, spec }) => {
      const { name: _, ...rest } = spec;
      const source = columnSource(new ColumnBuilder(rest), this.#context);
      return isOmitted(source) ? [] : [`${keyOf(name)}: ${source},`];
    });
    const onColumns = table.columns.reduce(
      (count, { spec }) =>
        count + Number(spec.references !== undefined) +
        Number(spec.unique ?? false) + Number(spec.index ?? false),
      0,
    );
    // Those that the columns say themselves come first.
    const constraints = table.constraints.slice(onColumns).map((one) =>
      constraintSource(one, this.#context)
    ).filter((source) => !isOmitted(source));
    return [
      quoted(table.name),
      `{\n${indented(columns.join("\n"))}\n}`,
      constraints.length === 0
        ? undefined
        : `[\n${indented(constraints.map((one) => `${one},`).join("\n"))}\n]`,
    ];
  }

  /** What a table was, unless the revisions say it. */
  #original(
    operation: TableReference & { readonly original?: Table },
  ): string | undefined {
    const { original } = operation;
    return original && !this.#isDescribed(operation)
      ? this.#table(original)
      : undefined;
  }

  /** The tables that refer to one and that no revision says. */
  #unknown({ referring = [] }: AlterTable): readonly Table[] {
    return referring.filter((original) =>
      !this.#isDescribed({ ...referenceTo(original), original })
    );
  }

  #referring(operation: AlterTable): string | undefined {
    const unknown = this.#unknown(operation);
    return unknown.length === 0
      ? undefined
      : listOf(unknown.map((table) => this.#table(table)));
  }

  #table(table: Table): string {
    const { imports } = this.#context;
    const options = objectOf(tableOptions(table));
    const [name, columns, constraints = options && "[]"] = this.#tableParts(
      table,
    );
    return call(
      imports.use("table"),
      name,
      `new ${imports.use("MetaData")}()`,
      columns,
      constraints,
      options,
    );
  }

  /** Whether the revisions say what the table is, and say it right. */
  #isDescribed(
    operation: TableReference & { readonly original?: Table },
  ): boolean {
    const known = this.#known.table(operation);
    return known !== undefined &&
      (operation.original === undefined ||
        isSameTable(known, operation.original, this.#context.dialect));
  }

  #alterTable(operation: AlterTable): string {
    const options = objectOf({
      schema: schemaOf(operation),
      recreate: operation.recreate === "auto"
        ? undefined
        : quoted(operation.recreate),
      partialReordering: operation.partialReordering &&
        JSON.stringify(operation.partialReordering),
      original: this.#original(operation),
      referring: this.#referring(operation),
    });
    const table = quoted(operation.table);
    const known = this.#known.table(operation);
    const before = this.#isDescribed(operation) ? known : operation.original;
    const draft = before && draftOf(before);
    const changes = operation.changes.map((change) => ({
      comments: warnings(judgeChange(operation.table, change)),
      source: changeSource(change, draft, this.#context),
    })).filter(({ source: { args } }) => !args.some(isOmitted));
    const isNothing = changes.length === 0 && operation.changes.length > 0;
    if (isNothing) return OMITTED;
    const [only] = changes;
    if (changes.length === 1 && only && options === undefined) {
      const { method, args, isNamedFirst } = only.source;
      const [name, ...rest] = args;
      return [
        ...only.comments,
        isNamedFirst
          ? call(`op.${method}`, name, table, ...rest)
          : call(`op.${method}`, table, ...args),
      ].join("\n");
    }
    const body = changes.flatMap(({ comments, source: { method, args } }) => [
      ...comments,
      `${call(`t.${method}`, ...args)};`,
    ]);
    const inner = `(t) => {\n${indented(body.join("\n"))}\n}`;
    return call("op.alterTable", table, inner, options);
  }
}

/** What `lint` would say, for whoever reads the revision first. */
function warnings(judgements: ReturnType<typeof judge>): string[] {
  return judgements.map(([code, message]) => `// ${code}: ${message}`);
}

/** The warnings about an operation as a whole. */
function dangers(operation: Operation): string[] {
  return operation.kind === "dropTable" ? warnings(judge(operation)) : [];
}

function tableOptions(
  { schema, options: { comment, strict, withoutRowid } }: Table,
): Record<string, string | undefined> {
  return {
    schema: schema === undefined ? undefined : quoted(schema),
    comment: comment === undefined ? undefined : quoted(comment),
    strict: strict ? "true" : undefined,
    withoutRowid: withoutRowid ? "true" : undefined,
  };
}

function schemaOf({ schema }: TableReference): string | undefined {
  return schema === undefined ? undefined : quoted(schema);
}
