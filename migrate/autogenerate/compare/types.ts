import {
  type Column,
  ColumnBuilder,
  type Dialect,
  rootType,
  type SqlType,
  strictWords,
  Table,
  typeSql,
} from "../../../sql/mod.ts";
import type { Comparator, CompareContext } from "../comparator.ts";
import type { ComparisonDialect } from "../dialects.ts";
import { altered, sharedColumns } from "./columns.ts";

/** Types, by the words with which the database declares them. */
export const types: Comparator = {
  name: "types",
  compare(pair, context) {
    const { compareType = true } = context.options;
    if (compareType === false) return [];
    return sharedColumns(pair, context).flatMap((column) => {
      const decided = typeof compareType === "function"
        ? compareType(column)
        : undefined;
      const isOther = decided ?? differs(column.wanted, column.actual, context);
      if (!isOther) return [];
      const { wanted } = column;
      return [
        altered(wanted.name, { type: columnOfType(wanted.spec.type) }),
      ];
    });
  },
};

function differs(
  wanted: Column<unknown>,
  actual: Column<unknown>,
  { dialect, comparison, remark }: CompareContext,
): boolean {
  const now = rootType(wanted.spec.type);
  const before = rootType(actual.spec.type);
  const isChecked = (type: SqlType) =>
    dialect.rulesFor(type).check !== undefined;
  if (now.name === "enum" && before.name === "enum") {
    const [name, ...labels] = now.args;
    const [formerName, ...formerLabels] = before.args;
    const isLabelled = labels.join("\0") !== formerLabels.join("\0");
    // Without a type of its own it has no name either.
    if (isChecked(now)) return isLabelled;
    if (isLabelled && name === formerName) {
      remark(
        `The labels of type '${name}' are (${
          formerLabels.join(", ")
        }) and should be (${
          labels.join(", ")
        }); write ALTER TYPE in op.autocommitBlock()`,
      );
    }
    return name !== formerName;
  }
  return isChecked(now) !== isChecked(before) ||
    !isSameType(wanted, actual, dialect, comparison);
}

function isSameType(
  wanted: Column<unknown>,
  actual: Column<unknown>,
  dialect: Dialect,
  comparison: ComparisonDialect,
): boolean {
  const declared = declaredType(actual, dialect);
  if (declared === "" || wanted.spec.type.name === "any") return true;
  const now = wordsOf(declaredType(wanted, dialect), comparison);
  const before = wordsOf(declared, comparison);
  const others = comparison.alsoDeclared[rootType(wanted.spec.type).name];
  if (now.name !== before.name) return others?.includes(before.name) ?? false;
  // What only one side says of length and precision is a default of the other.
  return now.args.every((arg, at) =>
    before.args[at] === undefined || before.args[at] === arg
  );
}

/** The type as CREATE TABLE declares it, or as the database says it was declared. */
export function declaredType(
  column: Column<unknown>,
  dialect: Dialect,
): string {
  const { spec, table } = column;
  const told = spec.info?.declaredType;
  if (typeof told === "string") return told;
  const isStrict = dialect.features.tableWords && table instanceof Table &&
    table.options.strict;
  const words = isStrict ? strictWords(column, dialect) : undefined;
  return words?.type ?? typeSql(spec.type, dialect);
}

/** A type's name and arguments. */
function wordsOf(
  declared: string,
  { synonyms }: ComparisonDialect,
): { readonly name: string; readonly args: readonly string[] } {
  const [, before = "", args = "", after = ""] =
    /^([^(]*)(?:\(([^)]*)\))?(.*)$/s.exec(declared) ?? [];
  const [, base = "", list = ""] = /^(.*?)((?:\[\])*)$/s.exec(
    `${before.trim()}${after}`.replace(/\s+/g, " "),
  ) ?? [];
  const word = base.startsWith('"')
    ? base.slice(1, -1).replaceAll('""', '"')
    : base.toLowerCase();
  return {
    name: (synonyms[word] ?? word) + list,
    args: args.split(",").map((arg) => arg.trim()).filter(Boolean),
  };
}

function columnOfType(type: SqlType): ColumnBuilder<unknown> {
  return new ColumnBuilder({ type, nullable: false, primaryKey: false });
}
