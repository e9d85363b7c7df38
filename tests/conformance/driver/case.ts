import {
  type ColumnBuilders,
  type Constraint,
  createEngine,
  createStatements,
  type Driver,
  type Engine,
  MetaData,
  sortTables,
  type Table,
  table,
} from "../../../sql/mod.ts";

/** One thing that a driver is held to. */
export interface DriverCase {
  /** What holds, as a sentence. */
  readonly name: string;
  /** Shows it on an open driver. @throws {Error} If it does not hold. */
  run(driver: Driver): Promise<void>;
}

/** Says what a case is, with an engine over the driver. */
export function driverCase(
  name: string,
  run: (engine: Engine) => Promise<void>,
): DriverCase {
  return { name, run: (driver) => run(createEngine(driver, { retries: 0 })) };
}

/** Makes a table that is empty, whatever an earlier run has left. */
export async function freshTable<S extends ColumnBuilders>(
  engine: Engine,
  name: string,
  columns: S,
  constraints: readonly Constraint[] = [],
): Promise<Table<S>> {
  const metadata = new MetaData();
  const made = table(`conformance_${name}`, metadata, columns, constraints);
  await recreate(engine, metadata);
  return made;
}

/** Drops and creates the tables of a MetaData. */
export async function recreate(
  engine: Engine,
  metadata: MetaData,
): Promise<void> {
  const drops = sortTables(metadata.tables.values()).reverse().map((one) =>
    `DROP TABLE IF EXISTS "${one.name}"`
  );
  await engine.sendBatch(
    [...drops, ...createStatements(metadata, engine.dialect)].map((sql) => ({
      sql,
      params: [],
    })),
  );
}
