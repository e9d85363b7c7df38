import { labelOf, type PreparedStatement } from "./compiler.ts";
import type { DriverResult } from "./driver.ts";
import type { RowShape, RowSource } from "./statement.ts";

/** Turns the values of a whole row into an object; the ORM brings its own. */
export type Hydrate = (
  source: RowSource,
  values: readonly unknown[],
) => unknown;

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
  const { columns } = prepared;
  const readers = (columns.length > 0 ? columns : result.columns).map((_, i) =>
    columns[i]?.read ?? result.readers?.[i]
  );
  const rows = new Result<Row>(
    result.changes,
    shape
      ? shape.items.map(({ key, source, expressions: [first] }, i) =>
        key ??
          (source ? source.from.labelPrefix : first && labelOf(first, false)) ??
          String(i)
      )
      : result.columns,
  );
  for (const raw of result.rows) {
    const values = raw.map((value, i) => {
      const read = readers[i];
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
