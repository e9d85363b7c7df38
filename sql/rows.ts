import type { PreparedStatement } from "./compiler.ts";
import type { DriverResult } from "./driver.ts";
import type { RowShape, RowSource } from "./statement.ts";

/**
 * Makes what turns the values of whole rows into objects; the ORM brings its
 * own. The values stand side by side in a result's row, from `at` on.
 */
export type Hydrate = (
  source: RowSource,
) => (row: readonly unknown[], at: number) => unknown;

/**
 * The rows of a result, and what is known of it beside them. What may be asked
 * of rows further (`one`, `first`, `mappings`, …) are functions of their own.
 */
export class Result<Row> extends Array<Row> {
  readonly #rowCount: number;
  readonly #columns: readonly string[];

  /** Makes an empty result. */
  constructor(rowCount = 0, columns: readonly string[] = []) {
    super();
    this.#rowCount = rowCount;
    this.#columns = columns;
  }

  /** How many rows the statement wrote; 0 for reads. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** What the parts of a row are called, in order. */
  get columns(): readonly string[] {
    return this.#columns;
  }

  /** Plain arrays come out of `map` and its kin. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Turns a driver's rows into the rows that a statement promises. */
export function readResult<Row>(
  shape: RowShape | undefined,
  prepared: PreparedStatement,
  result: DriverResult,
  hydrate: Hydrate = plainRow,
): Result<Row> {
  const { columns, unpack } = prepared;
  // Hand-written columns are known by name, not by place.
  const known = shape
    ? columns
    : result.columns.map((label) =>
      columns.find((column) => column.label === label)
    );
  const readers = known.map((column, i) => column?.read ?? result.readers?.[i]);
  const isPlain = readers.every((read) => !read);
  const rows = new Result<Row>(
    result.changes,
    shape?.items.map(({ key, source, expressions: [first] }) =>
      key ?? source?.from.labelPrefix ?? first?.resultName ?? ""
    ) ?? result.columns,
  );
  const assemble = shape
    ? assembler(shape, hydrate)
    : (values: readonly unknown[]) => record(result.columns, values);
  for (const sent of result.rows) {
    const raw = unpack?.(sent) ?? sent;
    const values = isPlain ? raw : raw.map((value, i) => {
      const read = readers[i];
      return read ? read(value) : value;
    });
    rows.push(assemble(values) as Row);
  }
  return rows;
}

function assembler(
  { kind, items }: RowShape,
  hydrate: Hydrate,
): (row: readonly unknown[]) => unknown {
  let next = 0;
  const parts = items.map(({ source, expressions }) => {
    const at = next;
    next += expressions.length;
    const make = source && hydrate(source);
    return (row: readonly unknown[]) => make ? make(row, at) : row[at];
  });
  if (kind === "single") return parts[0]!;
  const all = (row: readonly unknown[]) => parts.map((part) => part(row));
  if (kind === "tuple") return all;
  const keys = items.map(({ key = "" }) => key);
  return (row) => record(keys, all(row));
}

/** What turns the values of a whole row of a table into a plain object. */
export function plainRow(
  source: RowSource,
): (row: readonly unknown[], at: number) => unknown {
  const keys = source.columns.map((column) => column.key);
  return (row, at) => {
    const values = row.slice(at, at + keys.length);
    // A row of an outer join that found nothing is no row.
    return values.every((value) => value === null)
      ? null
      : record(keys, values);
  };
}

function record(keys: readonly string[], values: readonly unknown[]): unknown {
  let made: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    // To set this one is to do something else.
    if (key === "__proto__") made = { ...made, [key]: values[i] };
    else made[key] = values[i];
  }
  return made;
}
