import { PGlite } from "@electric-sql/pglite";
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  bigint,
  blob,
  boolean,
  check,
  createEngine,
  createStatements,
  date,
  dropAll,
  type Engine,
  enumeration,
  foreignKey,
  index,
  inspect,
  integer,
  interval,
  json,
  MetaData,
  numeric,
  primaryKey,
  Raw,
  real,
  reflect,
  sql,
  table,
  text,
  time,
  timestamp,
  unique,
  UnsupportedError,
  uuid,
} from "../../sql/mod.ts";
import { startWorkerd } from "../services/mod.ts";
import { countingDriver } from "./counting_driver.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
const client = new PGlite();
Deno.test.afterAll(async () => {
  await workerd.dispose();
  await client.close();
});

async function engines(): Promise<Record<string, Engine>> {
  await workerd.emptyD1("DB");
  await client.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  return {
    sqlite: createEngine(countingDriver(sqlite(":memory:"))),
    d1: createEngine(countingDriver(d1(workerd.d1("DB")))),
    postgres: createEngine(countingDriver(pglite(client, { keepOpen: true }))),
  };
}

/** A schema with every kind of thing that reflection must find again. */
function everything(isPostgres: boolean): MetaData {
  const metadata = new MetaData({
    // Postgres names what has no name, so that only named things come back alike.
    naming: {
      primaryKey: "pk_{table}",
      unique: "uq_{table}_{columns}",
      foreignKey: "fk_{table}_{columns}",
    },
  });
  table(
    "parent",
    metadata,
    {
      b: text(),
      a: integer(),
      label: text().nullable().comment("it's a remark"),
    },
    [primaryKey(["a", "b"])],
    { comment: "the parents" },
  );
  table("types", metadata, {
    id: integer().primaryKey(),
    big: bigint(),
    words: text(),
    short: text(50),
    yes: boolean(),
    real: real(),
    exact: numeric(20, 4),
    day: date(),
    at: time(),
    instant: timestamp(),
    document: json(),
    bytes: blob(),
    key: uuid(),
    mood: enumeration("mood", ["sad", "it's ok", 'a "b"']),
    ...(isPostgres ? { gap: interval() } : {}),
  });
  table("child", metadata, {
    id: integer().primaryKey(isPostgres ? {} : { autoincrement: true }),
    'odd "name", (really)': text().nullable(),
    a: integer().nullable(),
    b: text().nullable(),
    self: integer().references("child.id").nullable(),
    n: integer().serverDefault(5),
    minus: integer().serverDefault(-3),
    half: real().serverDefault(0.5),
    word: text().serverDefault('it\'s, (so) "quoted"'),
    number: text().serverDefault("42"),
    flag: boolean().serverDefault(false),
    made: timestamp().serverDefault(new Raw("CURRENT_TIMESTAMP")),
    twice: integer().computed(new Raw("n * 2"), { stored: true }),
  }, [
    foreignKey(["a", "b"], ["parent.a", "parent.b"], {
      name: "fk_pair",
      onDelete: "set null",
      onUpdate: "cascade",
      deferrable: true,
      initiallyDeferred: true,
    }),
    unique(["a", "n"]),
    unique(["word"], "own_name"),
    check(new Raw("n >= 0"), "ck_n"),
    check(new Raw("minus < 0"), "ck_minus"),
    index("ix_plain", ["a", "b"]),
    index("ix_unique", ["number"], { unique: true }),
    index("ix_expression", [new Raw("lower(word)"), "n"]),
    index("ix_partial", ["n"], { where: new Raw("n > 10") }),
    index("ix_down", [new Raw<number>('"n"').desc()]),
  ]);
  table(
    "strict",
    metadata,
    {
      code: text().primaryKey(),
      yes: integer(),
    },
    [],
    { strict: true, withoutRowid: true },
  );
  return metadata;
}

/** DDL by table, so that the order of tables does not count. */
function ddl(metadata: MetaData, engine: Engine): string[] {
  return createStatements(metadata, engine.dialect).sort();
}

Deno.test("createAll, then reflect, gives the same DDL, in one trip", async () => {
  for (const [name, engine] of Object.entries(await engines())) {
    const isPostgres = name === "postgres";
    const metadata = everything(isPostgres);
    await metadata.createAll(engine);
    const { trips } = engine.driver as ReturnType<typeof countingDriver>;
    trips.length = 0;

    const found = await reflect(engine);

    strictEqual(trips.length, 1, name);
    const { child, parent } = Object.fromEntries(found.tables);
    // SQLite keeps a lone key behind its column, where it has no name.
    const settle = (statements: string[]) =>
      statements.map((text) =>
        isPostgres
          ? text
          : text.replaceAll(/CONSTRAINT "pk_(child|types)" /g, "")
      );
    deepStrictEqual(settle(ddl(found, engine)), settle(ddl(metadata, engine)));
    deepStrictEqual(
      parent?.primaryKey.map((column) => column.name),
      ["a", "b"],
      name,
    );
    strictEqual(child?.c["twice"]?.spec.computed?.stored, true, name);

    // What was reflected makes the same schema, which reflects alike.
    await dropAll(metadata, engine);
    await found.createAll(engine);
    deepStrictEqual(
      ddl(await reflect(engine), engine),
      ddl(found, engine),
      name,
    );
    await engine.close();
  }
});

Deno.test("types, defaults and remarks come back as the nearest of ours, with the database's own word beside", async () => {
  const { postgres, sqlite: lite } = await engines();
  await everything(true).createAll(postgres!);
  await everything(false).createAll(lite!);
  const typesOf = (metadata: MetaData) =>
    Object.fromEntries(
      metadata.tables.get("types")!.columns.map(({ name, spec }) => [
        name,
        [spec.type.name, spec.info?.["declaredType"]],
      ]),
    );

  const onPostgres = await reflect(postgres!);
  const onSqlite = await reflect(lite!);

  deepStrictEqual(typesOf(onPostgres), {
    id: ["integer", "integer"],
    big: ["bigint", "bigint"],
    words: ["text", "text"],
    short: ["varchar", "character varying(50)"],
    yes: ["boolean", "boolean"],
    real: ["real", "double precision"],
    exact: ["numeric", "numeric(20,4)"],
    day: ["date", "date"],
    at: ["time", "time without time zone"],
    instant: ["timestamp", "timestamp with time zone"],
    document: ["json", "jsonb"],
    bytes: ["blob", "bytea"],
    key: ["uuid", "uuid"],
    mood: ["enum", "mood"],
    gap: ["interval", "interval"],
  });
  deepStrictEqual(
    onPostgres.tables.get("types")?.c["mood"]?.spec.type.args,
    ["mood", "sad", "it's ok", 'a "b"'],
  );
  strictEqual(onPostgres.tables.get("parent")?.options.comment, "the parents");
  strictEqual(
    onPostgres.tables.get("parent")?.c["label"]?.spec.comment,
    "it's a remark",
  );
  deepStrictEqual(typesOf(onSqlite)["short"], ["varchar", "VARCHAR(50)"]);
  deepStrictEqual(typesOf(onSqlite)["mood"], ["enum", "TEXT"]);
  for (const metadata of [onPostgres, onSqlite]) {
    const { c } = metadata.tables.get("child")!;
    deepStrictEqual(
      ["n", "minus", "half", "word", "number", "flag"].map((name) =>
        c[name]?.spec.serverDefault
      ),
      [5, -3, 0.5, 'it\'s, (so) "quoted"', "42", false],
    );
  }
  await postgres!.close();
  await lite!.close();
});

Deno.test("hand-written SQLite DDL is read as SQLite reads it", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await engine.sendBatch([
    `CREATE TABLE [old ""style] (
      -- a remark, with (brackets) and a 'quote
      id INTEGER /* the key */ PRIMARY KEY AUTOINCREMENT NOT NULL,
      \`tick\` VARCHAR (10) DEFAULT 'a''b' COLLATE NOCASE,
      price DECIMAL(10, 2) NOT NULL DEFAULT -1.5,
      big BIGINT DEFAULT 9223372036854775807,
      raw DEFAULT x'00ff',
      tiny REAL DEFAULT 1e-5,
      now DATETIME DEFAULT CURRENT_TIMESTAMP,
      maths INT DEFAULT (1 + (2)),
      virtual_one AS (id || ')'),
      owner INT CONSTRAINT fk_owner REFERENCES people ON DELETE CASCADE ON UPDATE NO ACTION NOT DEFERRABLE,
      kind TEXT CHECK (kind IN ('a', 'b')) UNIQUE,
      CHECK (price > 0 AND tick <> ','), CONSTRAINT "named one" CHECK ((id > 0))
    )`,
    "CREATE TABLE people (ssn TEXT PRIMARY KEY, name)",
    'CREATE UNIQUE INDEX "ix 1" ON [old ""style] (tick COLLATE NOCASE DESC, price ASC) WHERE big IS NOT NULL',
    'CREATE VIEW some AS SELECT id FROM [old ""style] WHERE id > 1',
    "CREATE VIRTUAL TABLE search USING fts5(body)",
  ].map((text) => ({ sql: text, params: [] })));

  const { tables: [old, people, ...others], views } = await inspect(engine);
  const metadata = await reflect(engine);

  strictEqual(others.length, 0);
  strictEqual(people?.columns[0]?.nullable, true);
  deepStrictEqual(views, [{
    name: "some",
    sql: 'SELECT id FROM [old ""style] WHERE id > 1',
  }]);
  deepStrictEqual(
    old?.columns.map(({ name, declaredType, type, nullable, ...rest }) => [
      name,
      declaredType,
      type.name,
      nullable,
      rest,
    ]),
    [
      ["id", "INTEGER", "integer", false, { numbered: "autoincrement" }],
      ["tick", "VARCHAR(10)", "varchar", true, { default: "'a''b'" }],
      ["price", "DECIMAL(10, 2)", "numeric", false, { default: "-1.5" }],
      ["big", "BIGINT", "bigint", true, { default: "9223372036854775807" }],
      ["raw", "", "blob", true, { default: "x'00ff'" }],
      ["tiny", "REAL", "real", true, { default: "1e-5" }],
      ["now", "DATETIME", "timestamp", true, { default: "CURRENT_TIMESTAMP" }],
      ["maths", "INT", "integer", true, { default: "(1 + (2))" }],
      ["virtual_one", "", "blob", true, {
        computed: { sql: "id || ')'", stored: false },
      }],
      ["owner", "INT", "integer", true, {}],
      ["kind", "TEXT", "enum", true, {}],
    ],
  );
  deepStrictEqual(old?.checks, [
    { name: undefined, sql: "price > 0 AND tick <> ','" },
    { name: "named one", sql: "id > 0" },
  ]);
  deepStrictEqual(old?.indexes, [{
    name: "ix 1",
    unique: true,
    parts: [
      { sql: "tick COLLATE NOCASE", suffix: "DESC" },
      { column: "price", suffix: undefined },
    ],
    where: "big IS NOT NULL",
  }]);
  const [key] = metadata.tables.get('old ""style')!.foreignKeys;
  deepStrictEqual(
    [key?.name, key?.targetTable, key?.targetColumns, key?.onDelete],
    ["fk_owner", "people", ["ssn"], "cascade"],
  );
  // And it can be made again elsewhere.
  await using other = createEngine(sqlite(":memory:"));
  await metadata.createAll(other);
  deepStrictEqual(ddl(await reflect(other), other), ddl(metadata, other));
});

Deno.test("what others wrote on Postgres is reflected too: serials, schemas, views", async () => {
  const { postgres } = await engines();
  await client.exec(`
    CREATE TABLE legacy (id serial PRIMARY KEY, v varchar DEFAULT 'x'::varchar, t timestamp, s smallint, f real,
      always int GENERATED ALWAYS AS IDENTITY, arr numeric(5,2)[]);
    CREATE VIEW seen AS SELECT id FROM legacy;
    DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app;
    CREATE TABLE app.inside (id bigint PRIMARY KEY, legacy_id int REFERENCES public.legacy);
  `);

  const here = await reflect(postgres!);
  const inside = await reflect(postgres!, new MetaData(), { schema: "app" });
  const { views } = await inspect(postgres!);

  deepStrictEqual([...here.tables.keys()], ["legacy"]);
  const { c, autoincrementColumn } = here.tables.get("legacy")!;
  strictEqual(autoincrementColumn?.name, "id");
  strictEqual(c["id"]?.spec.serverDefault, undefined);
  strictEqual(c["v"]?.spec.serverDefault, "x");
  strictEqual(c["always"]?.spec.identity, "always");
  deepStrictEqual(c["arr"]?.spec.type.item?.args, [5, 2]);
  deepStrictEqual([...inside.tables.keys()], ["app.inside"]);
  const app = inside.tables.get("app.inside")!;
  strictEqual(app.autoincrementColumn, undefined);
  deepStrictEqual(
    [app.foreignKeys[0]?.targetTable, app.foreignKeys[0]?.targetColumns],
    ["public.legacy", ["id"]],
  );
  strictEqual(views[0]?.name, "seen");
  await client.exec("DROP SCHEMA app CASCADE");
  await postgres!.close();
});

Deno.test("some tables alone are reflected, and what a MetaData has stays", async () => {
  for (const [name, engine] of Object.entries(await engines())) {
    const metadata = new MetaData();
    for (const one of ["a", "b", "c"]) {
      table(one, metadata, { id: integer().primaryKey(), v: text() });
    }
    await metadata.createAll(engine);
    const own = new MetaData();
    const a = table("a", own, { key: integer().primaryKey() });

    await reflect(engine, own, { include: ["a", "b"] });
    const chosen = await reflect(engine, undefined, {
      include: (one) => one > "b",
    });

    deepStrictEqual([...own.tables.keys()], ["a", "b"], name);
    strictEqual(own.tables.get("a"), a);
    deepStrictEqual([...chosen.tables.keys()], ["c"], name);
    await engine.close();
  }
});

Deno.test("D1's own tables are not reflected", async () => {
  await workerd.emptyD1("DB");
  const engine = createEngine(d1(workerd.d1("DB")));
  await engine.execute(sql`CREATE TABLE _cfish (id INTEGER PRIMARY KEY)`);

  const { tables } = await inspect(engine);

  deepStrictEqual(tables.map(({ name }) => name), ["_cfish"]);
});

Deno.test("a dialect of another author brings its own inspector", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  const other = createEngine({
    ...engine.driver,
    dialect: { ...engine.dialect, name: "other" },
  });

  await rejects(async () => await reflect(other), UnsupportedError);
  const found = await reflect(other, undefined, {
    inspector: () => Promise.resolve({ tables: [], views: [] }),
  });
  strictEqual(found.tables.size, 0);
});
