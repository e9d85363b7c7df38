import { and, type Column, or, type Select } from "../sql/mod.ts";
import type { Mapper } from "./mapper.ts";
import type { Session } from "./session.ts";
import { stateOf } from "./state.ts";

/** Settings of {@linkcode stream}. */
export interface StreamOptions {
  /** How many rows come in a trip. @default {500} */
  readonly size?: number;
}

/**
 * The rows of a query, some at a time, each part with all that its options
 * load. A query of one class without an order is walked along the primary
 * key, so that rows that come and go meanwhile move nothing; others by OFFSET.
 *
 * @example
 * ```ts ignore
 * for await (const user of stream(session, select(User))) …
 * ```
 */
export async function* stream<Row>(
  session: Session,
  query: Select<Row>,
  { size = 500 }: StreamOptions = {},
): AsyncGenerator<Row, void, void> {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot stream ${size} rows at a time; give a whole number from 1`,
    );
  }
  for (const reader of session.readersOf?.(query) ?? [session]) {
    yield* parts(reader, query, size);
  }
}

async function* parts<Row>(
  session: Session,
  query: Select<Row>,
  size: number,
): AsyncGenerator<Row, void, void> {
  const { orderBy, limit, offset, groupBy, distinct, joins } = query.state;
  const [item] = query.shape.items;
  const mapper = query.shape.kind === "single"
    ? item?.source?.owner as Mapper | undefined
    : undefined;
  const isPlain = !orderBy.length && !groupBy.length && !joins.length &&
    !distinct;
  if (limit || offset) {
    // What is cut already is not cut again.
    yield* await session.execute(query);
    return;
  }
  const keys = isPlain && mapper && item?.source?.from === mapper.from
    ? mapper.primaryKey
    : undefined;
  let last: Row | undefined;
  for (let at = 0;; at += size) {
    let part = query.limit(size);
    if (!keys) part = part.offset(at);
    else {
      part = part.orderBy(...keys);
      if (last) {
        part = part.where(after(keys, stateOf(last as object).primaryKey));
      }
    }
    const rows: readonly Row[] = await session.execute(part);
    yield* rows;
    last = rows.at(-1);
    // Rows that a loader's join repeats come once, so that a part may be short.
    if (keys ? rows.length < size : rows.length === 0) return;
  }
}

/** Behind a key, in the order of its columns. */
function after(
  columns: readonly Column<unknown>[],
  values: readonly unknown[],
) {
  return or(
    ...columns.map((column, i) =>
      and(
        ...columns.slice(0, i).map((one, at) => one.eq(values[at])),
        column.gt(values[i]),
      )
    ),
  );
}
