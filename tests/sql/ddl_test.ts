import { PGlite } from "@electric-sql/pglite";
import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  boolean,
  check,
  CheckViolationError,
  createEngine,
  createStatements,
  dropAll,
  type Engine,
  enumeration,
  foreignKey,
  ForeignKeyViolationError,
  index,
  insert,
  integer,
  MetaData,
  postgres,
  primaryKey,
  Raw,
  reflect,
  select,
  sql,
  SqlError,
  sqlite as sqliteDialect,
  table,
  text,
  timestamp,
  translateSchemas,
  unique,
  UnsupportedError,
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
    postgres: createEngine(
      countingDriver(pglite(client, { keepOpen: true })),
    ),
  };
}

function tripsOf(engine: Engine): string[][] {
  return (engine.driver as ReturnType<typeof countingDriver>).trips;
}

/** Two tables that name each other, one that names itself, one beside them. */
function circle(): MetaData {
  const metadata = new MetaData();
  table("user", metadata, {
    id: integer().primaryKey(),
    name: text(),
    favourite: integer().references("order.id").nullable(),
    bossId: integer().references("user.id").nullable(),
  });
  table("order", metadata, {
    id: integer().primaryKey(),
    userId: integer().references("user.id", { onDelete: "cascade" }),
  });
  table("item", metadata, {
    orderId: integer().references("order.id").primaryKey(),
    position: integer().primaryKey(),
  });
  return metadata;
}

const namesOf = async (engine: Engine): Promise<unknown[]> =>
  [
    ...await engine.execute(
      engine.dialect.features.jsonEach
        ? sql`SELECT name FROM sqlite_master WHERE type = 'table'
              AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name`
        : sql`SELECT relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
              WHERE nspname = 'public' AND relkind = 'r' ORDER BY relname`,
    ),
  ].map((row) => row["name"]);

Deno.test("orm 215: createAll makes one MetaData's tables in dependency order, circles too, in one trip; dropAll undoes it in one", async () => {
  for (const [name, engine] of Object.entries(await engines())) {
    const metadata = circle();
    table("alien", new MetaData(), { id: integer().primaryKey() });

    await metadata.createAll(engine);
    await metadata.createAll(engine);
    strictEqual(tripsOf(engine).length, 2, name);
    deepStrictEqual(await namesOf(engine), ["item", "order", "user"], name);

    // The circle is enforced on both sides.
    for (
      const broken of [
        sql`INSERT INTO "user" ("name", "favourite") VALUES ('x', 7)`,
        sql`INSERT INTO "order" ("userId") VALUES (7)`,
      ]
    ) {
      await rejects(engine.execute(broken), ForeignKeyViolationError, name);
    }
    if (name === "postgres") {
      const keys = await engine.execute(
        sql`SELECT conname FROM pg_constraint WHERE contype = 'f'`,
      );
      strictEqual(keys.length, 4);
    }

    // Rows that name each other do not stand in the way.
    await engine.batch([
      sql`INSERT INTO "user" ("id", "name") VALUES (1, 'a')`,
      sql`INSERT INTO "order" ("id", "userId") VALUES (1, 1)`,
      sql`INSERT INTO "item" ("orderId", "position") VALUES (1, 1)`,
      sql`UPDATE "user" SET "favourite" = 1, "bossId" = 1`,
    ]);
    tripsOf(engine).length = 0;
    await dropAll(metadata, engine);
    await dropAll(metadata, engine);
    strictEqual(tripsOf(engine).length, 2, name);
    // The tables of another MetaData were never made.
    deepStrictEqual(await namesOf(engine), [], name);
    await engine.close();
  }
});

Deno.test("orm 215: dropAll drops a circle of which tables hand a deletion on to themselves", async () => {
  const metadata = new MetaData();
  for (const [name, other] of [["a", "b"], ["b", "a"]] as const) {
    table(name, metadata, {
      id: integer().primaryKey(),
      otherId: integer().references(`${other}.id`).nullable(),
      aboveId: integer().references(`${name}.id`, { onDelete: "cascade" })
        .nullable(),
    });
  }
  for (const [name, engine] of Object.entries(await engines())) {
    await metadata.createAll(engine);
    await engine.batch([
      sql`INSERT INTO a ("id") VALUES (1)`,
      sql`INSERT INTO a ("id", "aboveId") VALUES (2, 1)`,
      sql`INSERT INTO b ("id", "otherId") VALUES (1, 2)`,
      sql`INSERT INTO b ("id", "aboveId") VALUES (2, 1)`,
      sql`UPDATE a SET "otherId" = 2`,
    ]);

    await dropAll(metadata, engine);

    deepStrictEqual(await namesOf(engine), [], name);
    await engine.close();
  }
});

Deno.test("orm 215: createAll and dropAll take some tables alone, and may insist that they are new", async () => {
  for (const [name, engine] of Object.entries(await engines())) {
    const metadata = new MetaData();
    const a = table("a", metadata, { id: integer().primaryKey() });
    table("b", metadata, { id: integer().primaryKey() });

    await metadata.createAll(engine, { tables: [a] });
    deepStrictEqual(await namesOf(engine), ["a"], name);
    await rejects(metadata.createAll(engine, { checkFirst: false }), {
      code: "sql/statement",
    });
    deepStrictEqual(await namesOf(engine), ["a"], name);
    await metadata.createAll(engine);
    await dropAll(metadata, engine, { tables: [a], checkFirst: false });
    deepStrictEqual(await namesOf(engine), ["b"], name);
    await rejects(
      dropAll(metadata, engine, { tables: [a], checkFirst: false }),
    );
    await engine.close();
  }
});

Deno.test("createAll writes its statements to the log", async () => {
  const lines: string[] = [];
  await using engine = createEngine(sqlite(":memory:"), {
    echo: true,
    log: (line) => lines.push(line),
  });
  const metadata = new MetaData();
  table("a", metadata, { id: integer().primaryKey() });

  await metadata.createAll(engine);

  deepStrictEqual(lines.map((line) => line.split(" ").slice(2, 4).join(" ")), [
    "BEGIN (implicit)",
    "CREATE TABLE",
    "COMMIT",
  ]);
});

/** A table with everything that stands beside a column. */
function everything(): MetaData {
  const metadata = new MetaData();
  table("parent", metadata, {
    a: integer().primaryKey({ autoincrement: false }),
    b: text().primaryKey(),
  });
  table("full", metadata, {
    id: integer().primaryKey({ autoincrement: true }),
    name: text(50).unique().comment("it's a name"),
    mood: enumeration("mood", ["sad", "it's ok"]).serverDefault("sad"),
    done: boolean().serverDefault(false),
    n: integer().serverDefault(5),
    at: timestamp().serverDefault(new Raw("CURRENT_TIMESTAMP")),
    double: integer().computed(new Raw("n * 2"), { stored: true }),
    a: integer().nullable(),
    b: text().nullable(),
  }, [
    foreignKey(["a", "b"], ["parent.a", "parent.b"], {
      name: "fk_full_parent",
      onDelete: "set null",
      onUpdate: "cascade",
      deferrable: true,
      initiallyDeferred: true,
    }),
    unique(["n", "name"], "uq_n_name"),
    check(new Raw("n >= 0"), "ck_n"),
    index("ix_lower", [new Raw("lower(name)")], { unique: true }),
    index("ix_open", ["n", "at"], { where: new Raw("NOT done") }),
    index("ix_down", [new Raw<number>("n").desc()]),
  ], { comment: "everything" });
  return metadata;
}

Deno.test("a table's DDL says all that was said of it, on SQLite", () => {
  deepStrictEqual(createStatements(everything(), sqliteDialect).slice(1), [
    `CREATE TABLE "full" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT,
  "name" VARCHAR(50) NOT NULL,
  "mood" TEXT NOT NULL DEFAULT 'sad' CHECK ("mood" IN ('sad', 'it''s ok')),
  "done" BOOLEAN NOT NULL DEFAULT false,
  "n" INTEGER NOT NULL DEFAULT 5,
  "at" TEXT NOT NULL DEFAULT (CURRENT_TIMESTAMP),
  "double" INTEGER NOT NULL GENERATED ALWAYS AS (n * 2) STORED,
  "a" INTEGER,
  "b" TEXT,
  UNIQUE ("name"),
  CONSTRAINT "uq_n_name" UNIQUE ("n", "name"),
  CONSTRAINT "ck_n" CHECK (n >= 0),
  CONSTRAINT "fk_full_parent" FOREIGN KEY ("a", "b") REFERENCES "parent" ("a", "b") ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
)`,
    `CREATE UNIQUE INDEX "ix_lower" ON "full" ((lower(name)))`,
    `CREATE INDEX "ix_open" ON "full" ("n", "at") WHERE NOT done`,
    `CREATE INDEX "ix_down" ON "full" ((n) DESC)`,
  ]);
});

Deno.test("a table's DDL says all that was said of it, on Postgres", () => {
  const [type, , create, , , , ...comments] = createStatements(
    everything(),
    postgres,
    { ifNotExists: true },
  );

  strictEqual(
    type,
    `DO $do$ BEGIN CREATE TYPE "mood" AS ENUM ('sad', 'it''s ok'); EXCEPTION WHEN duplicate_object THEN NULL; END $do$`,
  );
  deepStrictEqual(create?.split("\n").slice(0, 8), [
    'CREATE TABLE IF NOT EXISTS "full" (',
    '  "id" INTEGER GENERATED BY DEFAULT AS IDENTITY NOT NULL,',
    '  "name" VARCHAR(50) NOT NULL,',
    `  "mood" "mood" NOT NULL DEFAULT 'sad',`,
    '  "done" BOOLEAN NOT NULL DEFAULT false,',
    `  "n" INTEGER NOT NULL DEFAULT '5',`,
    '  "at" TIMESTAMPTZ NOT NULL DEFAULT (CURRENT_TIMESTAMP),',
    '  "double" INTEGER NOT NULL GENERATED ALWAYS AS (n * 2) STORED,',
  ]);
  deepStrictEqual(comments, [
    `COMMENT ON TABLE "full" IS 'everything'`,
    `COMMENT ON COLUMN "full"."name" IS 'it''s a name'`,
  ]);
});

Deno.test("what DDL says, each database does", async () => {
  for (const [name, engine] of Object.entries(await engines())) {
    const metadata = everything();
    await metadata.createAll(engine);
    await metadata.createAll(engine);
    const full = metadata.tables.get("full")!;

    await engine.execute(insert(full).values({ name: "a" } as never));
    const [row] = await engine.execute(
      select(full.c.mood!, full.c.done!, full.c.double!).from(full),
    );
    deepStrictEqual(row, ["sad", false, 10], name);
    for (
      const [values, error] of [
        [{ name: "b", n: -1 }, CheckViolationError],
        [{ name: "A", n: 6 }, { code: "sql/unique-violation" }],
      ] as const
    ) {
      await rejects(
        engine.execute(insert(full).values(values as never)),
        error,
        name,
      );
    }
    await rejects(
      engine.execute(
        sql`INSERT INTO "full" (name, mood) VALUES ('c', 'angry')`,
      ),
      SqlError,
      name,
    );
    await dropAll(metadata, engine);
    await dropAll(metadata, engine);
    await engine.close();
  }
});

Deno.test("a named type goes with the last table that needs it", async () => {
  const { postgres: engine } = await engines();
  const metadata = new MetaData();
  const [a] = ["a", "b"].map((name) =>
    table(name, metadata, {
      id: integer().primaryKey(),
      mood: enumeration("shared_mood", ["x"]),
    })
  );
  const types = async () =>
    (await engine!.execute(
      sql`SELECT typname FROM pg_type WHERE typname = 'shared_mood'`,
    )).length;

  await metadata.createAll(engine!);
  await dropAll(metadata, engine!, { tables: [a!] });
  strictEqual(await types(), 1);
  await metadata.createAll(engine!);
  await dropAll(metadata, engine!);
  strictEqual(await types(), 0);
  await engine!.close();
});

Deno.test("STRICT and WITHOUT ROWID stand on SQLite, and nowhere else", async () => {
  const metadata = new MetaData();
  table(
    "s",
    metadata,
    {
      key: text(10).primaryKey(),
      yes: boolean(),
      at: timestamp(),
    },
    [],
    { strict: true, withoutRowid: true },
  );

  const [onSqlite] = createStatements(metadata, sqliteDialect);
  const [onPostgres] = createStatements(metadata, postgres);

  strictEqual(onSqlite?.endsWith(") STRICT, WITHOUT ROWID"), true);
  strictEqual(
    onSqlite?.includes("VARCHAR") || onSqlite?.includes("BOOL"),
    false,
  );
  strictEqual(onPostgres?.endsWith(")\n)"), true);
  await using engine = createEngine(sqlite(":memory:"));
  await metadata.createAll(engine);
  await rejects(engine.execute(sql`INSERT INTO s VALUES ('a', 'no', 'x')`), {
    code: "sql/type",
  });
});

Deno.test("an identity column beside the key is one on Postgres, and refused on SQLite", () => {
  const metadata = new MetaData();
  table("i", metadata, {
    id: text().primaryKey(),
    n: integer().identity("always"),
  });

  strictEqual(
    createStatements(metadata, postgres)[0]?.includes(
      '"n" INTEGER GENERATED ALWAYS AS IDENTITY NOT NULL',
    ),
    true,
  );
  throws(() => createStatements(metadata, sqliteDialect), UnsupportedError);
});

Deno.test("orm 218: a naming convention names what was given no name, the same each time", () => {
  const make = () => {
    const metadata = new MetaData({
      naming: {
        index: "ix_{table}_{columns}",
        unique: "uq_{table}_{columns}",
        foreignKey: "fk_{table}_{columns}_{referred}",
        primaryKey: "pk_{table}",
        check: "ck_{table}_{name}",
      },
    });
    table("users", metadata, { id: integer().primaryKey() });
    table("posts", metadata, {
      a: integer().primaryKey(),
      b: integer().primaryKey(),
      userId: integer().references("users.id").index(),
      slug: text().unique(),
      named: integer().references("users.id", { name: "own" }),
    }, [
      primaryKey(["a", "b"]),
      check(new Raw("a > 0"), "positive"),
      check(new Raw("b > 0")),
      unique(["a", "slug"]),
      index(undefined, [new Raw("lower(slug)")]),
    ]);
    return createStatements(metadata, postgres).join("\n");
  };
  const found = [...make().matchAll(/(?:CONSTRAINT|INDEX) "(.*?)"/g)].map((
    [, name],
  ) => name);

  deepStrictEqual(found, [
    "pk_users",
    "pk_posts",
    "uq_posts_slug",
    "ck_posts_positive",
    "uq_posts_a_slug",
    "fk_posts_userId_users",
    "own",
    "ix_posts_userId",
    "ix_posts_expr",
  ]);
  strictEqual(make(), make());
});

Deno.test("orm 218: schemas are translated for one engine, in tables, keys, indexes and statements", async () => {
  const { postgres: engine } = await engines();
  await engine!.execute(sql`DROP SCHEMA IF EXISTS tenant CASCADE`);
  await engine!.execute(sql`CREATE SCHEMA tenant`);
  const metadata = new MetaData();
  const users = table("users", metadata, {
    id: integer().primaryKey(),
    name: text().index(),
  });
  const shop = new MetaData({ schema: "shop" });
  table(
    "orders",
    shop,
    {
      id: integer().primaryKey(),
      parent: integer().references("orders.id").nullable(),
      last: integer().references("items.id").nullable(),
    },
    [],
    { comment: "a remark" },
  );
  table("items", shop, {
    id: integer().primaryKey(),
    order: integer().references("orders.id"),
  });
  const tenant = createEngine(
    translateSchemas(engine!.driver, { "": "tenant", "shop": "tenant" }),
  );

  await metadata.createAll(tenant);
  await shop.createAll(tenant);
  await tenant.execute(insert(users).values({ name: "ed" }));
  const found = await tenant.execute(select(users.c.name));

  deepStrictEqual([...found], ["ed"]);
  const inside = await reflect(engine!, undefined, { schema: "tenant" });
  deepStrictEqual([...inside.tables.keys()].sort(), [
    "tenant.items",
    "tenant.orders",
    "tenant.users",
  ]);
  const orders = inside.tables.get("tenant.orders");
  strictEqual(orders?.options.comment, "a remark");
  deepStrictEqual(orders?.foreignKeys.map((key) => key.targetTable), [
    "tenant.orders",
    "tenant.items",
  ]);
  deepStrictEqual(await namesOf(engine!), []);
  await dropAll(shop, tenant);
  await dropAll(metadata, tenant);
  strictEqual(
    (await reflect(engine!, undefined, { schema: "tenant" })).tables.size,
    0,
  );
  await engine!.close();
});

Deno.test("orm 218: a name that is too long is cut to one that stays its own", () => {
  const long = "a".repeat(60);
  const metadata = new MetaData({ naming: { unique: "uq_{table}_{columns}" } });
  table(long, metadata, {
    id: integer().primaryKey(),
    x: text().unique(),
    y: text().unique(),
  });
  const found = [
    ...createStatements(metadata, postgres).join().matchAll(
      /CONSTRAINT "(.*?)"/g,
    ),
  ].map(([, name]) => name ?? "");

  strictEqual(new Set(found).size, 2);
  for (const name of found) strictEqual(name.length, 63);
});
