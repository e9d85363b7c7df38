import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  between,
  cast,
  concat,
  createEngine,
  deleteFrom,
  type Driver,
  dropAll,
  type Engine,
  index,
  insert,
  integer,
  json,
  jsonPath,
  MetaData,
  postgres as postgresDialect,
  prepare,
  select,
  SqlError,
  sqlite as sqliteDialect,
  type Statement,
  table,
  text,
  TypeConversionError,
  unique,
  update,
} from "../../sql/mod.ts";

const hostile = [
  "'",
  '"',
  "''; DROP TABLE users; --",
  '"; DROP TABLE "users"; --',
  "\\",
  "\\'; --",
  "/* */",
  "--",
  ";",
  "$1",
  "?",
  "?1",
  ":name",
  "@p",
  "$$",
  "`",
  "[x]",
  "%_%",
  "$.a",
  '$."a"',
  "${x}",
  "ʼ OR 1=1",
  "＇；",
  "\u202e",
  "e\u0301",
  "😀",
  "\n\r\t",
  "select",
  "NULL",
];

const users = table("users", new MetaData(), {
  id: integer().primaryKey(),
  name: text(),
  profile: json<unknown>().nullable(),
});

const shapes: readonly ((value: string) => Statement<unknown>)[] = [
  (v) => select(users).where(users.c.name.eq(v)),
  (v) => select(users).where(users.c.name.like(v)),
  (v) => select(users).where(users.c.name.in([v, v])),
  (v) => select(users).where(between(users.c.name, v, v)),
  (v) =>
    select(users).where(jsonPath(users.c.profile, v, "x").asString().eq(v)),
  (v) => insert(users).values({ name: v, profile: { [v]: v } }),
  (v) => update(users).set({ name: v }).where(users.c.name.ne(v)),
  (v) => deleteFrom(users).where(concat(users.c.name, v).eq(v)),
];

Deno.test("no value changes the text of a statement, on either dialect", () => {
  const check = (value: string) => {
    for (const dialect of [sqliteDialect, postgresDialect]) {
      for (const shape of shapes) {
        const bound = () => prepare(shape(value), dialect).sql;
        // Postgres has no text with a NUL in it.
        if (dialect === postgresDialect && value.includes("\0")) {
          throws(bound, TypeConversionError);
        } else strictEqual(bound(), prepare(shape("plain"), dialect).sql);
      }
    }
  };
  for (const value of [...hostile, "\0", "x".repeat(100_000)]) check(value);
  fc.assert(fc.property(fc.string({ unit: "binary" }), check));
});

/** Makes, fills and reads a table all of whose names are the same text. */
async function roundTrip(engine: Engine, name: string): Promise<void> {
  const metadata = new MetaData();
  const made = table(`t${name}`, metadata, {
    id: integer().primaryKey(),
    value: text().named(name),
  }, [unique(["value"], `u${name}`), index(`i${name}`, ["value"])]);
  await metadata.createAll(engine);
  await engine.execute(insert(made).values({ value: name }));
  const [row] = await engine.execute(
    select({ [name]: made.c.value }).orderBy(made.c.value),
  );
  deepStrictEqual(Object.entries(row ?? {}), [[name, name]]);
  await dropAll(metadata, engine);
}

const client = await PGlite.create();
Deno.test.afterAll(() => client.close());
const drivers: Readonly<Record<string, () => Driver>> = {
  SQLite: () => sqlite(":memory:"),
  Postgres: () => pglite(client, { keepOpen: true }),
};

for (const [kind, driver] of Object.entries(drivers)) {
  Deno.test(`names from users are quoted and come back as they are: ${kind}`, async () => {
    await using engine = createEngine(driver());
    for (const name of hostile) await roundTrip(engine, name);
  });

  Deno.test(`an empty name and one with NUL are refused: ${kind}`, async () => {
    await using engine = createEngine(driver());
    for (const name of ["", "a\0b"]) {
      await rejects(roundTrip(engine, name), SqlError);
    }
  });

  Deno.test(`no error repeats a value: ${kind}`, async () => {
    await using engine = createEngine(driver());
    const metadata = new MetaData();
    const people = table("people", metadata, {
      id: integer().primaryKey(),
      name: text().unique(),
      other: integer().references("people.id").nullable(),
    });
    const secret = "s3cr3t";
    await metadata.createAll(engine);
    const row = { id: 1, name: secret };
    await engine.execute(insert(people).values(row));
    const wrong: Statement<unknown>[] = [
      insert(people).values({ id: 2, name: secret }),
      insert(people).values({ id: 3, name: `${secret}3`, other: 987654 }),
      insert(people).values({ id: 4, name: null as never, other: 1 }),
      insert(people).values({ id: secret as never, name: "x" }),
      insert(users).values({ name: secret }),
      ...(kind === "Postgres" ? [select(cast(secret, integer()))] : []),
    ];
    for (const statement of wrong) {
      await rejects(
        // What cannot be bound is refused before anything is sent.
        async () => await engine.execute(statement),
        (error) =>
          error instanceof SqlError &&
          !`${error.message} ${error.sql}`.match(/s3cr3t|987654/),
      );
    }
  });
}
