import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  count,
  deleteFrom,
  type Engine,
  GuardError,
  insert,
  integer,
  select,
  sql,
  text,
  UniqueViolationError,
  update,
} from "../../../sql/mod.ts";
import { type DriverCase, driverCase, freshTable } from "./case.ts";

const names = () => ({ id: integer().primaryKey(), name: text().unique() });

/** A statement that fails with a label of ours, as the layers above use it. */
function guard(engine: Engine, label: string) {
  return engine.dialect.features.jsonEach
    ? sql`SELECT CASE WHEN 1 = 1 THEN json_extract('{}', ${label}) END`
    : sql`SELECT (${label} || count(*)::text)::int FROM pg_catalog.pg_class WHERE false`;
}

/** What holds for several statements in one trip. */
export const batchCases = (): readonly DriverCase[] => [
  driverCase(
    "a batch answers each statement, in order, and sees its own writes",
    async (engine) => {
      const users = await freshTable(engine, "batch", names());

      const [, ids, renamed, all] = await engine.batch([
        insert(users).values({ name: "a" }),
        insert(users).values([{ name: "b" }, { name: "c" }]).returning(
          users.c.id,
        ),
        update(users).set({ name: "z" }).where(users.c.name.eq("a")),
        select(users.c.name).orderBy(users.c.id),
      ]);

      deepStrictEqual([...ids], [2, 3]);
      strictEqual(renamed.rowCount, 1);
      deepStrictEqual([...all], ["z", "b", "c"]);
    },
  ),

  driverCase("a batch that fails leaves nothing behind", async (engine) => {
    const users = await freshTable(engine, "atomic", names());
    await engine.execute(insert(users).values({ name: "a" }));

    await rejects(
      engine.batch([
        insert(users).values({ name: "b" }),
        deleteFrom(users).where(users.c.name.eq("a")),
        insert(users).values({ name: "b" }),
        insert(users).values({ name: "c" }),
      ]),
      UniqueViolationError,
    );

    deepStrictEqual([...await engine.execute(select(users.c.name))], ["a"]);
  }),

  driverCase(
    "a guard that does not hold undoes its batch, and keeps its label",
    async (engine) => {
      const users = await freshTable(engine, "guard", names());

      await rejects(
        engine.batch([
          insert(users).values({ name: "a" }),
          guard(engine, "stale:users:7:3"),
        ]),
        (error) =>
          error instanceof GuardError &&
          error.label.startsWith("stale:users:7:3"),
      );

      deepStrictEqual([...await engine.execute(select(users.c.name))], []);
    },
  ),

  driverCase(
    "DDL and writes share a batch, and are undone together",
    async (engine) => {
      const users = await freshTable(engine, "ddl", names());
      const extra = "conformance_ddl_extra";
      await engine.send({ sql: `DROP TABLE IF EXISTS ${extra}`, params: [] });

      await rejects(
        engine.sendBatch([
          { sql: `CREATE TABLE ${extra} (id INTEGER)`, params: [] },
          engine.prepare(insert(users).values({ name: "a" })),
          { sql: "SELECT * FROM conformance_nowhere", params: [] },
        ]),
      );

      // It can be created now, so it was not before.
      await engine.send({
        sql: `CREATE TABLE ${extra} (id INTEGER)`,
        params: [],
      });
      const [n] = await engine.execute(select(count()).from(users));
      strictEqual(Number(n), 0);
    },
  ),

  driverCase("a batch of fifty statements is one trip", async (engine) => {
    const users = await freshTable(engine, "fifty", names());
    const inserts = Array.from(
      { length: 50 },
      (_, i) => insert(users).values({ name: `n${i}` }),
    );

    const results = await engine.batch(inserts);

    strictEqual(results.length, 50);
    strictEqual((await engine.execute(select(users.c.id))).length, 50);
  }),

  driverCase(
    "of concurrent batches that guard one row, one wins",
    async (engine) => {
      const users = await freshTable(engine, "race", {
        ...names(),
        version: integer(),
      });
      await engine.execute(insert(users).values({ name: "a", version: 1 }));
      const claim = engine.dialect.features.jsonEach
        ? sql`SELECT CASE WHEN changes() = 1 THEN 1 ELSE json_extract('{}', 'stale:0') END`
        : undefined;
      const bump = update(users).set({ version: 2 }).where(
        users.c.version.eq(1),
      );

      const results = await Promise.allSettled(
        Array.from(
          { length: 5 },
          () =>
            claim ? engine.batch([bump, claim]) : engine.batch([
              sql`WITH done AS (UPDATE conformance_race SET version = 2 WHERE version = 1 RETURNING 1)
                SELECT CASE WHEN count(*) = 1 THEN 1 ELSE ('stale:' || count(*))::int END FROM done`,
            ]),
        ),
      );

      const lost = results.filter((result) => result.status === "rejected");
      strictEqual(lost.length, 4);
      for (const { reason } of lost) {
        strictEqual(reason instanceof GuardError, true);
      }
    },
  ),
];
