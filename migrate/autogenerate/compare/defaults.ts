import {
  type ColumnSpec,
  type Dialect,
  Expression,
  rootType,
} from "../../../sql/mod.ts";
import type { Comparator, CompareContext } from "../comparator.ts";
import { altered, sharedColumns } from "./columns.ts";

type Default = ColumnSpec["serverDefault"];

/** What the database fills in, where it is wanted to be compared. */
export const defaults: Comparator = {
  name: "defaults",
  compare(pair, context) {
    const { compareServerDefault = false } = context.options;
    if (compareServerDefault === false) return [];
    return sharedColumns(pair, context).flatMap((column) => {
      const { wanted, actual } = column;
      const decided = typeof compareServerDefault === "function"
        ? compareServerDefault(column)
        : undefined;
      const isOther = decided ?? differs(wanted.spec, actual.spec, context);
      return isOther
        ? [
          altered(wanted.name, {
            serverDefault: wanted.spec.serverDefault ?? null,
          }),
        ]
        : [];
    });
  },
};

function differs(
  wanted: ColumnSpec,
  actual: ColumnSpec,
  context: CompareContext,
): boolean {
  const now = textOf(wanted.serverDefault, wanted, context);
  const before = textOf(actual.serverDefault, wanted, context);
  return now !== before;
}

const NUMBERS = ["integer", "bigint", "real", "numeric"];

/** A default as text in which spellings of one value are equal. */
function textOf(
  value: Default,
  { type }: ColumnSpec,
  { dialect, sql }: CompareContext,
): string | undefined {
  if (value === undefined) return undefined;
  const { name } = rootType(type);
  const text = value instanceof Expression
    ? sql(value)
    : literalOf(value, dialect);
  const inner = /^'(.*)'$/s.exec(text)?.[1] ?? text;
  if (NUMBERS.includes(name) && inner.trim() !== "" && !isNaN(Number(inner))) {
    return String(Number(inner));
  }
  if (name === "boolean") {
    if (/^(1|t|true)$/i.test(inner)) return "true";
    if (/^(0|f|false)$/i.test(inner)) return "false";
  }
  return text;
}

function literalOf(
  value: Exclude<Default, Expression<unknown> | undefined>,
  dialect: Dialect,
): string {
  // A number in a column of text is that number's digits.
  return dialect.literal(String(value));
}
