/** What `op` records, as statements: one table of expectations a dialect. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import {
  compareTables,
  createMigrator,
  type Operations,
  revision,
  SchemaSnapshot,
  upgradeScript,
} from "../../migrate/mod.ts";
import { reverseOperations } from "../../migrate/operations/reverse.ts";
import {
  check,
  deleteFrom,
  type Dialect,
  enumeration,
  foreignKey,
  index,
  insert,
  integer,
  MetaData,
  postgres,
  sql,
  sqlite,
  table,
  text,
  unique,
  update,
} from "../../sql/mod.ts";
import { ENGINES, planned, type Record, recorded } from "./planned.ts";

Deno.test("migrate 117: a column comes with its default, check, index, key and what happens to it, in place where the database can", () => {
  const add =
    (column: Parameters<Operations["addColumn"]>[2], options = {}): Record =>
    (op) => op.addColumn("t", "c", column, options);
  const table_: Record = (op) => {
    op.createTable("u", { id: integer().primaryKey() });
    op.createTable("t", { id: integer().primaryKey() });
  };
  const cases: [Record, string[], string[]][] = [
    [
      add(integer().nullable()),
      ['ALTER TABLE "t" ADD COLUMN "c" INTEGER'],
      ['ALTER TABLE "t" ADD COLUMN "c" INTEGER'],
    ],
    [
      add(text().serverDefault("it's")),
      [`ALTER TABLE "t" ADD COLUMN "c" TEXT NOT NULL DEFAULT 'it''s'`],
      [`ALTER TABLE "t" ADD COLUMN "c" TEXT NOT NULL DEFAULT 'it''s'`],
    ],
    [
      add(enumeration("mood", ["ok"]).nullable()),
      [`ALTER TABLE "t" ADD COLUMN "c" TEXT CHECK ("c" IN ('ok'))`],
      [
        `DO $do$ BEGIN CREATE TYPE "mood" AS ENUM ('ok'); EXCEPTION WHEN duplicate_object THEN NULL; END $do$`,
        'ALTER TABLE "t" ADD COLUMN "c" "mood"',
      ],
    ],
    [
      add(integer().nullable().index()),
      [
        'ALTER TABLE "t" ADD COLUMN "c" INTEGER',
        'CREATE INDEX "ix_t_c" ON "t" ("c")',
      ],
      [
        'ALTER TABLE "t" ADD COLUMN "c" INTEGER',
        'CREATE INDEX "ix_t_c" ON "t" ("c")',
      ],
    ],
    [
      add(
        integer().nullable().references("u.id", {
          onDelete: "cascade",
          onUpdate: "set null",
          deferrable: true,
        }),
      ),
      [
        'ALTER TABLE "t" ADD COLUMN "c" INTEGER REFERENCES "u" ("id") ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE',
      ],
      [
        'ALTER TABLE "t" ADD COLUMN "c" INTEGER',
        'ALTER TABLE "t" ADD FOREIGN KEY ("c") REFERENCES "u" ("id") ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE',
      ],
    ],
    [
      add(integer().nullable().references("t.id")),
      ['ALTER TABLE "t" ADD COLUMN "c" INTEGER REFERENCES "t" ("id")'],
      [
        'ALTER TABLE "t" ADD COLUMN "c" INTEGER',
        'ALTER TABLE "t" ADD FOREIGN KEY ("c") REFERENCES "t" ("id")',
      ],
    ],
    [
      add(integer().nullable(), { schema: 'odd "s"' }),
      ['ALTER TABLE "odd ""s"""."t" ADD COLUMN "c" INTEGER'],
      ['ALTER TABLE "odd ""s"""."t" ADD COLUMN "c" INTEGER'],
    ],
    [
      add(integer().nullable(), { ifNotExists: true }),
      ['ALTER TABLE "t" ADD COLUMN "c" INTEGER'],
      ['ALTER TABLE "t" ADD COLUMN IF NOT EXISTS "c" INTEGER'],
    ],
  ];
  for (const [record, onSqlite, onPostgres] of cases) {
    deepEqual(planned("sqlite", record, table_), onSqlite);
    deepEqual(planned("postgres", record, table_), onPostgres);
  }
  deepEqual(planned("postgres", add(integer().unique()), table_), [
    'ALTER TABLE "t" ADD COLUMN "c" INTEGER NOT NULL',
    'ALTER TABLE "t" ADD UNIQUE ("c")',
  ]);
});

Deno.test("migrate 119: a column is altered in statements of one order", () => {
  const before: Record = (op) =>
    void op.createTable("t", { c: integer().serverDefault(1) });
  const alter = (changes: Parameters<Operations["alterColumn"]>[2]) =>
    planned("postgres", (op) => op.alterColumn("t", "c", changes), before);
  const c = 'ALTER TABLE "t" ALTER COLUMN "c"';
  deepEqual(alter({ nullable: true }), [`${c} DROP NOT NULL`]);
  deepEqual(alter({ nullable: false }), [`${c} SET NOT NULL`]);
  deepEqual(alter({ type: text(20) }), [`${c} TYPE VARCHAR(20)`]);
  deepEqual(alter({ type: text(), using: text("c || '!'") }), [
    `${c} TYPE TEXT USING c || '!'`,
  ]);
  deepEqual(alter({ serverDefault: null }), [`${c} DROP DEFAULT`]);
  deepEqual(alter({ serverDefault: 5 }), [`${c} SET DEFAULT '5'`]);
  deepEqual(alter({ comment: "it's" }), [
    `COMMENT ON COLUMN "t"."c" IS 'it''s'`,
  ]);
  deepEqual(alter({ comment: null }), ['COMMENT ON COLUMN "t"."c" IS NULL']);
  deepEqual(
    planned("postgres", (op) =>
      op.alterTable("t", (t) => {
        t.renameColumn("c", "d");
        t.alterColumn("d", {
          type: text(),
          serverDefault: "x",
          nullable: true,
          comment: "words",
        });
      }), before),
    [
      'ALTER TABLE "t" RENAME COLUMN "c" TO "d"',
      'ALTER TABLE "t" ALTER COLUMN "d" DROP DEFAULT',
      'ALTER TABLE "t" ALTER COLUMN "d" TYPE TEXT',
      `ALTER TABLE "t" ALTER COLUMN "d" SET DEFAULT 'x'`,
      'ALTER TABLE "t" ALTER COLUMN "d" DROP NOT NULL',
      `COMMENT ON COLUMN "t"."d" IS 'words'`,
    ],
  );
});

Deno.test("migrate 120: no column becomes a computed one, and an identity is changed where there are any", () => {
  throws(
    () =>
      recorded((op) =>
        op.alterColumn("t", "c", { type: integer().computed(text("1")) })
      ),
    /Cannot make column 'c' a computed one: .*drop it and add it again/,
  );
  const make = (identity?: "always" | "by default"): Record => (op) =>
    void op.createTable("t", {
      c: identity ? integer().identity(identity) : integer(),
    });
  const change = (identity: "always" | "by default" | null): Record => (op) =>
    op.alterColumn("t", "c", { identity });
  const c = 'ALTER TABLE "t" ALTER COLUMN "c"';
  deepEqual(planned("postgres", change("always"), make()), [
    `${c} ADD GENERATED ALWAYS AS IDENTITY`,
  ]);
  deepEqual(planned("postgres", change("always"), make("by default")), [
    `${c} SET GENERATED ALWAYS`,
  ]);
  deepEqual(planned("postgres", change(null), make("always")), [
    `${c} DROP IDENTITY IF EXISTS`,
  ]);
  throws(
    () => planned("sqlite", change("always"), make()),
    /only a primary key numbers itself here; give it a default/,
  );
});

Deno.test("migrate 124: the type of an enumeration comes before its table, goes with the last one, and grows outside the transaction", async () => {
  const moody: Record = (op) => {
    op.createTable("t", { mood: enumeration("mood", ["ok"]) });
    op.createTable("u", { mood: enumeration("mood", ["ok"]) });
  };
  const made = planned("postgres", moody);
  match(made[0]!, /CREATE TYPE "mood" AS ENUM \('ok'\)/);
  match(made[1]!, /^CREATE TABLE "t"/);
  equal(planned("postgres", (op) => op.dropTable("t"), moody).length, 1);
  match(
    planned("postgres", (op) => {
      op.dropTable("t");
      op.dropTable("u");
    }, moody).at(-1)!,
    /DROP TYPE "mood"/,
  );
  const script = await upgradeScript(
    createMigrator({
      revisions: [revision({
        revision: "aaaa1111",
        upgrade: (op) =>
          op.autocommitBlock((op) =>
            op.execute(`ALTER TYPE "mood" ADD VALUE 'bad'`)
          ),
      })],
      engine: ENGINES.postgres!,
    }),
    "head",
  );
  match(script, /COMMIT;\s+ALTER TYPE "mood" ADD VALUE 'bad';\s+BEGIN;/);
});

Deno.test("migrate 125: a table comes with keys, checks, flags and indexes, or with none, and is a table to insert into", () => {
  const everything: Record = (op) => {
    const made = op.createTable("t", {
      id: integer().primaryKey(),
      parent: integer().references("t.id").nullable(),
      a: integer().references("u.a", { onDelete: "cascade" }),
      b: integer().unique(),
      c: integer().index(),
    }, [
      foreignKey(["a", "b"], ["u.a", "u.b"], { name: "fk_ab" }),
      unique(["a", "c"], "uq_ac"),
      check(text("a > 0"), "ck_a"),
      index("ix_ab", ["a", "b"], { unique: true }),
    ]);
    op.bulkInsert(made, [{ id: 1, a: 1, b: 2, c: 3 }]);
  };
  for (const dialect of ["sqlite", "postgres"] as const) {
    const [create, ...rest] = planned(dialect, everything);
    for (
      const part of [
        'UNIQUE ("b")',
        'CONSTRAINT "uq_ac" UNIQUE ("a", "c")',
        'CONSTRAINT "ck_a" CHECK (a > 0)',
        'FOREIGN KEY ("parent") REFERENCES "t" ("id")',
        'FOREIGN KEY ("a") REFERENCES "u" ("a") ON DELETE CASCADE',
        'CONSTRAINT "fk_ab" FOREIGN KEY ("a", "b") REFERENCES "u" ("a", "b")',
      ]
    ) ok(create!.includes(part), `${part} in ${create}`);
    deepEqual(rest.slice(0, 2), [
      'CREATE INDEX "ix_t_c" ON "t" ("c")',
      'CREATE UNIQUE INDEX "ix_ab" ON "t" ("a", "b")',
    ]);
    match(rest[2]!, /^INSERT INTO "t" \("id", "a", "b", "c"\)/);
    deepEqual(
      planned(dialect, (op) =>
        void op.createTable("k", { a: integer() }, [], {
          schema: "other",
          ifNotExists: true,
        })),
      ['CREATE TABLE IF NOT EXISTS "other"."k" (\n  "a" INTEGER NOT NULL\n)'],
    );
  }
});

/** The script of a revision, without its own tables. */
async function scriptOf(
  dialect: "sqlite" | "postgres",
  record: Record,
): Promise<string> {
  return await upgradeScript(
    createMigrator({
      revisions: [revision({ revision: "aaaa1111", upgrade: record })],
      engine: ENGINES[dialect]!,
      historyTable: false,
    }),
    "head",
  );
}

Deno.test("migrate 126: rows are inserted as objects, in runs of the same columns, with expressions among the values, and as literals in a script", async () => {
  const made = (op: Operations) =>
    op.createTable("t", {
      id: integer().primaryKey(),
      a: text().nullable(),
      b: integer().serverDefault(7),
    });
  const inserts = (rows: Parameters<Operations["bulkInsert"]>[1]) =>
    planned("sqlite", (op) => op.bulkInsert("t", rows), made);
  deepEqual(inserts([]), []);
  deepEqual(
    inserts([{ a: "x" }, { a: "y" }, { a: "z", b: 1 }]).map((sql) =>
      /\((.*?)\)/.exec(sql)![1]
    ),
    ['"a"', '"a", "b"'],
  );
  match(inserts([{ a: text("upper('x')") }])[0]!, /VALUES \(\(?upper\('x'\)/);
  throws(() => inserts([{ nowhere: 1 }]), /nowhere/);
  for (const row of [["x"], "x", null]) {
    throws(
      () => inserts([row as never]),
      /Cannot insert into 't': a row is not an object/,
    );
  }
  const script = await scriptOf("sqlite", (op) => {
    op.bulkInsert(made(op), [{ a: "it's 100%", b: 1 }]);
  });
  ok(script.includes("'it''s 100%'"), script);
});

Deno.test("migrate 127: statements run as they are, colons too, and those of the Core with their values, which a script shows", async () => {
  const t = table("t", new MetaData(), {
    id: integer().primaryKey(),
    a: text(),
  });
  const record: Record = (op) => {
    op.execute("SELECT ':name', 'a::b', '100%'");
    op.execute(insert(t).values({ id: 1, a: "50% 'off'" }));
    op.execute(update(t).set({ a: "b:c" }).where(t.c.id.eq(1)));
    op.execute(deleteFrom(t).where(t.c.a.eq("b:c")));
    op.execute(sql`SELECT ${"bound"}`);
  };
  for (const dialect of ["sqlite", "postgres"] as const) {
    const statements = planned(dialect, record);
    equal(statements.length, 5);
    equal(statements[0], "SELECT ':name', 'a::b', '100%'");
    for (const one of statements.slice(1)) ok(!/50%|b:c|bound/.test(one), one);
    const script = await scriptOf(dialect, record);
    for (
      const part of [
        "SELECT ':name', 'a::b', '100%';",
        "'50% ''off'''",
        "'b:c'",
        "'bound'",
      ]
    ) ok(script.includes(part), script);
  }
});

Deno.test("migrate 130: every operation has its inverse, and the inverse of that is the operation; what is not known is refused", async () => {
  const before = () => {
    const metadata = new MetaData();
    table("u", metadata, { id: integer().primaryKey() });
    const t = table("t", metadata, {
      id: integer().primaryKey(),
      a: integer().nullable().serverDefault(1).comment("words"),
      b: text(),
    }, [
      unique(["b"], "uq"),
      check(text("a > 0"), "ck"),
      foreignKey(["a"], ["u.id"], { name: "fk" }),
      index("ix", ["a"]),
    ], { comment: "before" });
    return { t, all: [...metadata.tables.values()] };
  };
  const records: Record[] = [
    (op) => void op.createTable("new", { id: integer().primaryKey() }),
    (op) => op.dropTable("t"),
    (op) => op.renameTable("t", "other"),
    (op) => op.renameColumn("t", "a", "c"),
    (op) => op.addColumn("t", "c", integer()),
    (op) => op.alterColumn("t", "a", { nullable: false, serverDefault: 2 }),
    (op) => op.alterColumn("t", "a", { type: text(), comment: null }),
    (op) => op.alterColumn("t", "b", { type: text(9) }),
    (op) => op.dropIndex("ix", "t"),
    (op) => op.createIndex("ix2", "t", ["b"], { unique: true }),
    (op) => op.dropConstraint("uq", "t"),
    (op) => op.dropConstraint("ck", "t"),
    (op) => op.dropConstraint("fk", "t"),
    (op) => op.createUniqueConstraint("uq2", "t", ["a"]),
    (op) => op.createForeignKey("fk2", "t", ["b"], ["u.id"]),
    (op) => op.createCheckConstraint("ck2", "t", text("a < 9")),
    (op) => op.createTableComment("t", "after"),
    (op) => op.dropTableComment("t"),
    (op) => op.execute("SELECT 1", { undo: "SELECT 2" }),
    (op) =>
      op.autocommitBlock((op) => op.execute("SELECT 1", { undo: "SELECT 2" })),
    (op) =>
      op.alterTable("t", (t) => {
        t.dropConstraint("fk");
        t.dropColumn("b");
        t.addColumn("c", integer().nullable());
      }),
  ];
  for (const dialect of [sqlite, postgres] as Dialect[]) {
    for (const record of records) {
      const operations = recorded(record);
      const schema = new SchemaSnapshot(dialect, before().all);
      const back = reverseOperations(operations, schema, dialect);
      const then = schema.copy();
      for (const operation of operations) then.apply(operation);
      const forth = reverseOperations(back, then, dialect);
      // The way there and back leaves every table as it was.
      for (const operation of back) then.apply(operation);
      const { operations: left } = await compareTables(
        schema.tables,
        then.tables,
        dialect,
        { compareServerDefault: true, decideRename: () => null },
      );
      deepEqual(left, []);
      deepEqual(
        forth.map(({ kind }) => kind),
        operations.map(({ kind }) => kind),
      );
    }
  }
  const unknown: [Record, RegExp][] = [
    [(op) => op.dropTable("t"), /original: table/],
    [(op) => op.dropColumn("t", "a"), /original: text/],
    [(op) => op.dropIndex("ix", "t"), /original: index/],
    [(op) => op.dropConstraint("uq", "t"), /original: unique/],
    [(op) => op.alterColumn("t", "a", { nullable: true }), /original: table/],
    [(op) => op.execute("SELECT 1"), /give \{ undo: … \}/],
  ];
  const nothing = new SchemaSnapshot(sqlite);
  for (const [record, give] of unknown) {
    throws(() => reverseOperations(recorded(record), nothing, sqlite), give);
  }
  const { t } = before();
  const given: Record[] = [
    (op) => op.dropTable("t", { original: t }),
    (op) => op.dropColumn("t", "a", { original: integer() }),
    (op) => op.dropIndex("ix", "t", { original: index("ix", ["a"]) }),
    (op) => op.dropConstraint("uq", "t", { original: unique(["b"], "uq") }),
    (op) => op.alterColumn("t", "a", { nullable: true }, { original: t }),
  ];
  for (const record of given) {
    equal(reverseOperations(recorded(record), nothing, sqlite).length, 1);
  }
});
