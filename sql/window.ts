import { CompileError } from "./errors.ts";
import { and, type Expression, Phrase } from "./expression.ts";
import type { Part } from "./node.ts";

/**
 * From which row to which row a frame reaches: below 0 before the row, 0 the
 * row itself, above 0 after it, `null` without end.
 */
export type FrameBounds = readonly [number | null, number | null];

/** Which rows a window function sees. */
export interface OverOptions {
  /** Only rows alike in these. */
  readonly partitionBy?: readonly Expression<unknown>[];
  /** In which order. */
  readonly orderBy?: readonly Expression<unknown>[];
  /** A frame counted in rows. */
  readonly rows?: FrameBounds;
  /** A frame counted in values of the order. */
  readonly range?: FrameBounds;
  /** A frame counted in groups of equal rows. */
  readonly groups?: FrameBounds;
}

/**
 * A function over a window: `over(rowNumber(), { orderBy: [users.c.id] })`.
 *
 * @throws {CompileError} If a frame's bounds are no whole numbers.
 */
export function over<T>(
  call: Expression<T>,
  { partitionBy, orderBy, rows, range, groups }: OverOptions = {},
): Expression<T> {
  const parts: Part[] = [call, " OVER ("];
  if (partitionBy) parts.push("PARTITION BY ", partitionBy);
  if (orderBy) parts.push(partitionBy ? " ORDER BY " : "ORDER BY ", orderBy);
  if (rows) parts.push(frame("ROWS", rows));
  if (range) parts.push(frame("RANGE", range));
  if (groups) parts.push(frame("GROUPS", groups));
  return new Phrase("over", [...parts, ")"], call.type);
}

function frame(unit: string, [from, to]: FrameBounds): string {
  const start = from === null ? "UNBOUNDED PRECEDING" : bound(from);
  const end = to === null ? "UNBOUNDED FOLLOWING" : bound(to);
  return ` ${unit} BETWEEN ${start} AND ${end}`;
}

function bound(rows: number): string {
  if (!Number.isSafeInteger(rows)) {
    throw new CompileError(
      "Cannot frame a window by what is no whole number; give rows before (-2), 0 or after (2)",
    );
  }
  return rows === 0
    ? "CURRENT ROW"
    : `${Math.abs(rows)} ${rows < 0 ? "PRECEDING" : "FOLLOWING"}`;
}

/** An aggregate over only the rows that meet all conditions. */
export function filter<T>(
  aggregate: Expression<T>,
  ...conditions: Expression<unknown>[]
): Expression<T> {
  return new Phrase(
    "filter",
    [aggregate, " FILTER (WHERE ", and(...conditions), ")"],
    aggregate.type,
  );
}

/** An aggregate over sorted rows (Postgres): `withinGroup(func("mode"), age)`. */
export function withinGroup<T>(
  aggregate: Expression<T>,
  ...orderBy: Expression<unknown>[]
): Expression<T> {
  return new Phrase(
    "withinGroup",
    [aggregate, " WITHIN GROUP (ORDER BY ", orderBy, ")"],
    aggregate.type,
  );
}
