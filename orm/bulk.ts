import {
  batchWrites,
  type Insert,
  insert,
  type Result,
  type Table,
  type Update,
  update,
} from "../sql/mod.ts";
import { MappingError, StaleDataError } from "./errors.ts";
import { guardLabel, staleAt } from "./_guard.ts";
import { type AnyClass, mapperOf } from "./mapper.ts";
import type { Session } from "./session.ts";
import type { InstanceOf } from "./types.ts";
import { nextVersion } from "./version.ts";

/** Values of one row, by attribute. */
export type BulkRow = Readonly<Record<string, unknown>>;

/**
 * Inserts rows of a class without a unit of work: no events, no cascades, no
 * relations. Rows of the same keys share a statement; all go in one trip, and
 * all or none take effect.
 *
 * @example
 * ```ts ignore
 * const users = await bulkInsert(session, User, [{ name: "ed" }, { name: "wendy" }]);
 * ```
 *
 * @returns The objects, in the order of the rows.
 */
export async function bulkInsert<C extends AnyClass>(
  session: Session,
  cls: C,
  rows: readonly BulkRow[],
): Promise<InstanceOf<C>[]> {
  if (rows.length === 0) return [];
  const { source } = mapperOf(cls);
  const target = source.from;
  const engine = session.engineOf(insert(target));
  const { params = Infinity } = engine.capabilities.limits;
  const runs: BulkRow[][] = [];
  let last = "";
  for (const row of rows) {
    const keys = Object.keys(row).toSorted().join("\0");
    const run = runs.at(-1);
    const width = source.columns.length;
    if (run && keys === last && (run.length + 1) * width <= params) {
      run.push(row);
    } else runs.push([row]);
    last = keys;
  }
  const statements = runs.map((run): Insert<never, unknown> =>
    (insert(cls as never) as Insert<never>).values(run as never)
      .returning(cls as never)
  );
  const results: readonly Result<unknown>[] = await session.batch(
    ...statements,
  );
  return results.flatMap((result) => [...result]) as InstanceOf<C>[];
}

/**
 * Updates rows of a class by primary key, which every row must have, without a
 * unit of work. All go in one trip, and all or none take effect; objects in
 * memory stay as they are. Where the class counts versions, a row also has the
 * version that was read, and the next one is written.
 *
 * @throws {MappingError} If a row lacks its primary key or version; nothing is sent.
 * @throws {StaleDataError} If a row has another version, or is gone.
 */
export async function bulkUpdate(
  session: Session,
  cls: AnyClass,
  rows: readonly BulkRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const mapper = mapperOf(cls);
  const { primaryKey, versionColumn } = mapper;
  const known = [...primaryKey, ...versionColumn ? [versionColumn] : []];
  const keys = known.map((column) => mapper.keyOf(column));
  const engine = session.engineOf(update(cls as never));
  const { objects } = session["~core"].unit;
  const { expectRows, counts } = batchWrites(engine.dialect);
  const statements = rows.flatMap((row, i) => {
    if (keys.some((key) => row[key] === undefined || row[key] === null)) {
      throw new MappingError(
        `Cannot update ${mapper.name}: row ${i} has no ${
          keys.join(", ")
        }; every row needs its primary key, and its version if it has one`,
      );
    }
    const changes = Object.fromEntries(
      Object.entries(row).filter(([key]) => !keys.includes(key)),
    );
    const where = known.map((column, at) => column.eq(row[keys[at]!]));
    const write = (changes: BulkRow) =>
      (update(cls as never) as Update<never>).set(changes as never)
        .where(...where);
    if (!versionColumn) return [write(changes)];
    const key = mapper.keyOf(versionColumn);
    const next = nextVersion(versionColumn, row[key]);
    const versioned = write({ ...changes, [key]: next ?? row[key] });
    return counts?.(versionColumn.table as Table, objects) === "none"
      ? [versioned]
      : expectRows(versioned, 1, guardLabel(i));
  });
  try {
    await session.batch(...statements);
  } catch (error) {
    const row = rows[staleAt(error) ?? -1];
    if (!row) throw error;
    throw new StaleDataError(
      mapper.name,
      primaryKey.map((column) => row[mapper.keyOf(column)]),
      { cause: error },
    );
  }
}
