/** What SQLite has against a text, on each platform that runs it. */
import { ok, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  ConstraintViolationError,
  createEngine,
  type Driver,
  literal,
  select,
  SqlError,
  StatementError,
  TypeConversionError,
} from "../../sql/mod.ts";
import { startWorkerd } from "../services/workerd.ts";
import { startRemoteObject } from "./drivers/remote_object.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
const object = await startRemoteObject();
Deno.test.afterAll(async () => {
  await object[Symbol.asyncDispose]();
  await workerd.dispose();
});

const drivers: Readonly<Record<string, Driver>> = {
  "D1": d1(workerd.d1("DB")),
  "a Durable Object": object.driver,
  "SQLite": sqlite(":memory:"),
};

const SETUP = [
  "CREATE TABLE pair (a, b, UNIQUE (a, b))",
  "CREATE TABLE child (a)",
  "CREATE TABLE wrong (a REFERENCES pair(a))",
  "CREATE VIEW one AS SELECT 1 AS a",
  "CREATE TRIGGER no BEFORE DELETE ON child BEGIN SELECT RAISE(ABORT, 'secret 42'); END",
  "INSERT INTO child VALUES (NULL)",
];
const WRONG = [
  "SELECT @",
  "SELECT x'1'",
  "SELECT count(count(1))",
  "SELECT abs()",
  "SELECT nope()",
  "SELECT (SELECT 1, 2)",
  "SELECT 1 ORDER BY 3",
  "SELECT 1 UNION SELECT 1, 2",
  "SELECT *",
  "SELECT (1, 2)",
  "SELECT 1 HAVING 1",
  "INSERT INTO one VALUES (1)",
  "INSERT INTO pair VALUES (1)",
  "INSERT INTO wrong VALUES (1)",
  "DROP TABLE nope",
  "CREATE TABLE pair (a)",
  "ALTER TABLE pair DROP COLUMN nope",
  "INSERT INTO sqlite_master VALUES (1)",
];
/** What is told with the names in it, which SQLite repeats in their quotes. */
const QUOTED = [
  ['CREATE TABLE "pair" (a)', 'table "pair" already exists'],
  [
    "INSERT INTO wrong VALUES (1)",
    'foreign key mismatch - "wrong" referencing "pair"',
  ],
] as const;
const VALUES = [
  "SELECT json('{secret 42')",
  "SELECT abs(-9223372036854775807 - 1)",
  "SELECT sum(a) FROM (SELECT 9223372036854775807 AS a UNION ALL SELECT 1)",
];

for (const [name, driver] of Object.entries(drivers)) {
  const engine = createEngine(driver);
  const failure = async (sql: string): Promise<SqlError> => {
    const error = await engine.send({ sql, params: [] }).then(
      () => undefined,
      (error) => error,
    );
    ok(error instanceof SqlError, `${sql}: ${error}`);
    strictEqual(error.sql, sql);
    strictEqual(error.isRetryable, false);
    ok(!error.message.includes("secret"), error.message);
    ok(/^Cannot (run the statement|write the row): \w/.test(error.message));
    return error;
  };

  Deno.test(`all that ${name} has against a text is a StatementError, against a value another`, async () => {
    for (const sql of SETUP) await engine.send({ sql, params: [] });

    for (const sql of WRONG) {
      ok(await failure(sql) instanceof StatementError, sql);
    }
    for (const [sql, why] of QUOTED) {
      const { message } = await failure(sql);
      ok(message.includes(`: ${why}`), message);
    }
    for (const sql of VALUES) {
      ok(await failure(sql) instanceof TypeConversionError, sql);
    }
    const refused = await failure("DELETE FROM child");
    ok(refused instanceof ConstraintViolationError);
    strictEqual(refused.code, "sql/trigger-violation");
  });

  Deno.test(`a read on ${name} counts no written rows`, async () => {
    strictEqual((await engine.execute(select(literal(1)))).rowCount, 0);
  });
}
