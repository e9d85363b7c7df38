import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  check,
  CheckViolationError,
  deleteFrom,
  type Engine,
  ForeignKeyViolationError,
  insert,
  integer,
  MetaData,
  NotNullViolationError,
  Raw,
  sql,
  SqlError,
  StatementError,
  table,
  text,
  UniqueViolationError,
} from "../../../sql/mod.ts";
import { type DriverCase, driverCase, freshTable, recreate } from "./case.ts";

async function failure(work: Promise<unknown>): Promise<SqlError> {
  let found: unknown;
  await rejects(work, (error) => {
    found = error;
    return true;
  });
  if (found instanceof SqlError) return found;
  throw new Error("Expected an error with a code", { cause: found });
}

async function parentAndChild(engine: Engine, name: string) {
  const metadata = new MetaData();
  const parent = table(`conformance_${name}_parent`, metadata, {
    id: integer().primaryKey(),
  });
  const child = table(`conformance_${name}_child`, metadata, {
    id: integer().primaryKey(),
    parentId: integer().references(`conformance_${name}_parent.id`),
  });
  await recreate(engine, metadata);
  return { parent, child };
}

/** How a database's errors are named. */
export const errorCases = (): readonly DriverCase[] => [
  driverCase(
    "a second equal key is a UniqueViolationError that names table and column",
    async (engine) => {
      const users = await freshTable(engine, "unique", {
        id: integer().primaryKey(),
        email: text().unique(),
      });
      const secret = "ed@example.com";
      await engine.execute(insert(users).values({ email: secret }));

      const error = await failure(
        engine.execute(insert(users).values({ email: secret })),
      );

      strictEqual(error instanceof UniqueViolationError, true);
      strictEqual(error.code, "sql/unique-violation");
      if (error instanceof UniqueViolationError) {
        strictEqual(error.table, "conformance_unique");
        deepStrictEqual([...error.columns], ["email"]);
      }
      strictEqual(error.message.includes(secret), false);
      strictEqual(error.sql?.startsWith("INSERT"), true);
      strictEqual(error.isRetryable, false);
    },
  ),

  driverCase("a key over two columns names both", async (engine) => {
    const pairs = await freshTable(engine, "pair", {
      a: integer().primaryKey(),
      b: text().primaryKey(),
    });
    await engine.execute(insert(pairs).values({ a: 1, b: "x" }));

    const error = await failure(
      engine.execute(insert(pairs).values({ a: 1, b: "x" })),
    );

    deepStrictEqual(
      error instanceof UniqueViolationError && [...error.columns],
      ["a", "b"],
    );
  }),

  driverCase(
    "a row that names none is a ForeignKeyViolationError",
    async (engine) => {
      const { child } = await parentAndChild(engine, "fk");

      const error = await failure(
        engine.execute(insert(child).values({ parentId: 7 })),
      );

      strictEqual(error instanceof ForeignKeyViolationError, true);
    },
  ),

  driverCase(
    "the end of a row that is still named is a ForeignKeyViolationError",
    async (engine) => {
      const { parent, child } = await parentAndChild(engine, "fk_end");
      await engine.execute(insert(parent).values({ id: 1 }));
      await engine.execute(insert(child).values({ parentId: 1 }));

      const error = await failure(engine.execute(deleteFrom(parent)));

      strictEqual(error instanceof ForeignKeyViolationError, true);
    },
  ),

  driverCase(
    "a missing value is a NotNullViolationError that names the column",
    async (engine) => {
      const users = await freshTable(engine, "not_null", {
        id: integer().primaryKey(),
        name: text(),
      });

      const error = await failure(
        engine.execute(insert(users).values({ name: null as never })),
      );

      strictEqual(error instanceof NotNullViolationError, true);
      if (error instanceof NotNullViolationError) {
        strictEqual(error.table, "conformance_not_null");
        deepStrictEqual([...error.columns], ["name"]);
      }
    },
  ),

  driverCase(
    "a broken check is a CheckViolationError that names it",
    async (engine) => {
      const metadata = new MetaData();
      const guarded = table(
        "conformance_check_named",
        metadata,
        { id: integer().primaryKey(), age: integer() },
        [check(new Raw("age >= 0"), "ck_age_positive")],
      );
      await recreate(engine, metadata);

      const error = await failure(
        engine.execute(insert(guarded).values({ age: -1 })),
      );

      strictEqual(error instanceof CheckViolationError, true);
      strictEqual(
        error instanceof CheckViolationError && error.constraint,
        "ck_age_positive",
      );
    },
  ),

  driverCase(
    "a text that does not parse, or names what is not there, is a StatementError",
    async (engine) => {
      for (
        const statement of [
          sql`SELEC 1`,
          sql`SELECT * FROM conformance_nowhere`,
          sql`SELECT nothing FROM (SELECT 1 AS one) AS t`,
        ]
      ) {
        const error = await failure(engine.execute(statement));
        strictEqual(error instanceof StatementError, true);
        strictEqual(error.cause instanceof Error, true);
      }
    },
  ),

  driverCase(
    "an error of a batch names the right statement, or none",
    async (engine) => {
      const error = await failure(
        engine.batch([
          sql`SELECT 1 AS one`,
          sql`SELEC 2`,
          sql`SELECT 3 AS three`,
        ]),
      );

      strictEqual([undefined, "SELEC 2"].includes(error.sql), true);
    },
  ),

  driverCase("the engine still works after an error", async (engine) => {
    await failure(engine.execute(sql`SELEC 1`));
    await failure(engine.batch([sql`SELECT 1 AS one`, sql`SELEC 1`]));

    strictEqual((await engine.execute(sql`SELECT 1 AS one`)).length, 1);
  }),
];
