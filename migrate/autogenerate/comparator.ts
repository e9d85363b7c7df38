import type { Dialect, Expression, Table } from "../../sql/mod.ts";
import { MigrateError } from "../errors.ts";
import type { TableChange, TableReference } from "../operations/operation.ts";
import type { TableDraft } from "../schema/draft.ts";
import type { ComparisonDialect } from "./dialects.ts";
import type { Filter } from "./filter.ts";
import type { CompareOptions } from "./options.ts";

/** One side of a comparison. */
export interface Side {
  /** The table. */
  readonly table: Table;
  /** The same by database names, with every name that a convention gives. */
  readonly draft: TableDraft;
}

/** A table that is on both sides. */
export interface TablePair {
  /** Which table it is. */
  readonly reference: TableReference;
  /** As the metadata describe it. */
  readonly wanted: Side;
  /** As it is. */
  readonly actual: Side;
}

/** What comparators work with. */
export interface CompareContext {
  /** The database's language. */
  readonly dialect: Dialect;
  /** What a comparison must know of it. */
  readonly comparison: ComparisonDialect;
  /** The settings. */
  readonly options: CompareOptions;
  /** What counts. */
  readonly filter: Filter;
  /** SQL in a form in which two spellings of the same text are equal. */
  readonly sql: (expression: Expression<unknown>) => string;
  /** Tells of something that is seen and cannot be changed. */
  readonly remark: (text: string) => void;
}

/** Ends the comparison of a table: the comparators that follow are not asked. */
export const STOP: unique symbol = Symbol("stop");

/** Finds one kind of difference between two sides of a table. */
export interface Comparator {
  /** Its name, for {@linkcode CompareOptions.comparators}. */
  readonly name: string;
  /** When it is asked. @default {"medium"} */
  readonly priority?: "first" | "medium" | "last";
  /** The only dialect for which it is asked. @default all */
  readonly dialect?: string;
  /** The changes that lead from what is there to what is wanted. */
  compare(
    pair: TablePair,
    context: CompareContext,
  ): readonly TableChange[] | typeof STOP;
}

const PRIORITIES = ["first", "medium", "last"];

/**
 * Chooses comparators by patterns, in the order in which they are asked.
 *
 * @throws {MigrateError} If two have one name, or a pattern means none.
 */
export function chooseComparators(
  known: readonly Comparator[],
  patterns: readonly string[],
  dialect: Dialect,
): Comparator[] {
  const names = known.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new MigrateError(
      "comparator-twice",
      `Cannot use comparator '${twice}': there are two of that name; give one another name`,
    );
  }
  let chosen = new Set<Comparator>();
  for (const pattern of patterns) {
    const isOut = pattern.startsWith("~");
    const words = (isOut ? pattern.slice(1) : pattern).split("*").map(escaped);
    const wanted = new RegExp(`^${words.join(".*")}$`);
    const found = known.filter(({ name }) => wanted.test(name));
    if (found.length === 0) {
      throw new MigrateError(
        "no-comparator",
        `Cannot find a comparator for '${pattern}': there are ${
          names.map((name) => `'${name}'`).join(", ")
        }`,
      );
    }
    const all = new Set(found);
    chosen = isOut ? chosen.difference(all) : chosen.union(all);
  }
  const rank = ({ priority = "medium" }: Comparator) =>
    PRIORITIES.indexOf(priority);
  return known.filter((one) =>
    chosen.has(one) && (one.dialect ?? dialect.name) === dialect.name
  ).sort((a, b) => rank(a) - rank(b));
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}
