import type { Constraint, Table } from "../../sql/mod.ts";
import { columnsOf } from "../schema/parts.ts";
import type { Side } from "./comparator.ts";
import type {
  CompareOptions,
  ObjectKind,
  Parents,
  SchemaObject,
} from "./options.ts";

/** What of two schemas counts, as the user's functions say. */
export class Filter {
  readonly #options: CompareOptions;

  /** Asks the functions of these settings. */
  constructor(options: CompareOptions) {
    this.#options = options;
  }

  /** Whether something that is there counts by its name. */
  name(name: string, kind: ObjectKind, parents: Parents): boolean {
    return this.#options.includeName?.(name, kind, parents) ?? true;
  }

  /** Whether a table of that name is there for a comparison. */
  table(name: string, schema: string | undefined): boolean {
    return this.name(name, "table", schema === undefined ? {} : { schema });
  }

  /** What is there without the parts whose names do not count. */
  prune({ table, draft }: Side): Side {
    const { includeName } = this.#options;
    if (!includeName) return { table, draft };
    const parents = parentsOf(table);
    const hidden = new Set(
      [...draft.columns.keys()].filter((name) =>
        !includeName(name, "column", parents)
      ),
    );
    return {
      table,
      draft: {
        ...draft,
        columns: new Map(
          [...draft.columns].filter(([name]) => !hidden.has(name)),
        ),
        constraints: draft.constraints.filter((one) =>
          !columnsOf(one).some((name) => hidden.has(name)) &&
          (one.kind === "primaryKey" || one.name === undefined ||
            includeName(one.name, KINDS[one.kind], parents))
        ),
      },
    };
  }

  /** Whether a difference about an object counts. */
  object(
    object: SchemaObject,
    name: string | undefined,
    kind: ObjectKind,
    isReflected: boolean,
    compareTo?: SchemaObject,
  ): boolean {
    const { includeObject } = this.#options;
    return includeObject?.(object, name, kind, isReflected, compareTo) ?? true;
  }

  /** Whether a difference about a constraint or index counts. */
  constraint(
    constraint: Exclude<Constraint, { kind: "primaryKey" }>,
    isReflected: boolean,
    compareTo?: Constraint,
  ): boolean {
    const kind = KINDS[constraint.kind];
    return this.object(
      constraint,
      constraint.name,
      kind,
      isReflected,
      compareTo,
    );
  }
}

const KINDS = {
  index: "index",
  unique: "uniqueConstraint",
  foreignKey: "foreignKeyConstraint",
  check: "checkConstraint",
  exclude: "excludeConstraint",
} as const;

function parentsOf({ name, schema }: Table): Parents {
  return { table: name, ...(schema === undefined ? {} : { schema }) };
}
