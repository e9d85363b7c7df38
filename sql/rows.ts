import type { PreparedStatement } from "./compiler.ts";
import type { DriverResult } from "./driver.ts";
import type { RowShape, RowSource } from "./statement.ts";

/** Turns the values of a whole row into an object; the ORM brings its own. */
export type Hydrate = (
  source: RowSource,
  values: readonly unknown[],
) => unknown;

/** The rows of a result, and how many rows were written. */
export class Result<Row> extends Array<Row> {
  /** How many rows the statement wrote; 0 for reads. */
  rowCount = 0;

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
  const { columns } = prepared;
  const rows = new Result<Row>();
  rows.rowCount = result.changes ?? 0;
  for (const raw of result.rows) {
    const values = columns.length === 0 ? raw : raw.map((value, i) => {
      const read = columns[i]?.read;
      return read && value !== null ? read(value) : value;
    });
    rows.push(
      (shape
        ? assemble(shape, values, hydrate)
        : record(result.columns, values)) as Row,
    );
  }
  return rows;
}

function assemble(
  shape: RowShape,
  values: readonly unknown[],
  hydrate: Hydrate,
): unknown {
  let at = 0;
  const parts = shape.items.map(({ source, expressions }) => {
    const start = at;
    at += expressions.length;
    return source ? hydrate(source, values.slice(start, at)) : values[start];
  });
  if (shape.kind === "single") return parts[0];
  if (shape.kind === "tuple") return parts;
  return Object.fromEntries(shape.items.map(({ key }, i) => [key, parts[i]]));
}

function plainRow(source: RowSource, values: readonly unknown[]): unknown {
  // A row of an outer join that found nothing is no row.
  if (values.every((value) => value === null)) return null;
  return record(source.columns.map((column) => column.key), values);
}

function record(keys: readonly string[], values: readonly unknown[]): unknown {
  return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
}
