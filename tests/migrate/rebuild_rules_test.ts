/** When a table is rebuilt on SQLite, and what comes through. */
import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import {
  createMigrator,
  type Operations,
  revision,
  upgradeScript,
} from "../../migrate/mod.ts";
import {
  check,
  enumeration,
  foreignKey,
  index,
  integer,
  json,
  MetaData,
  type NamingConvention,
  primaryKey,
  real,
  type Table,
  table,
  text,
  timestamp,
  unique,
} from "../../sql/mod.ts";
import { memoryEngine, schemaOf } from "./databases.ts";
import { after, isRebuilt, tableText } from "./after.ts";
import type { Record } from "./planned.ts";

const plain: Record = (op) =>
  void op.createTable("t", {
    id: integer().primaryKey(),
    a: integer().nullable(),
    b: text().nullable(),
  });

Deno.test("migrate 132: what ALTER can do is done in place, what it cannot is a rebuild, unless it is always or never to be one", async () => {
  await using t = await after(plain);
  const inPlace: Record[] = [
    (op) => op.addColumn("t", "c", integer().nullable()),
    (op) => op.createIndex("ix", "t", ["a"]),
    (op) => op.renameColumn("t", "a", "c"),
    (op) => op.dropColumn("t", "a"),
  ];
  for (const one of inPlace) equal(isRebuilt(t.plan(one)), false);
  const rebuilt: Record[] = [
    (op) => op.alterColumn("t", "a", { nullable: false }),
    (op) => op.alterColumn("t", "a", { type: text() }),
    (op) => op.alterColumn("t", "a", { serverDefault: 5 }),
    (op) => op.createUniqueConstraint("uq", "t", ["a"]),
    (op) => op.createForeignKey("fk", "t", ["a"], ["t.id"]),
    (op) => op.createCheckConstraint("ck", "t", text("a > 0")),
  ];
  for (const one of rebuilt) equal(isRebuilt(t.plan(one)), true);

  const recreate = (how: "always" | "never") => (op: Operations) =>
    op.alterTable("t", (t) => t.createIndex("ix", ["a"]), { recreate: how });
  equal(isRebuilt(t.plan(recreate("always"))), true);
  equal(isRebuilt(t.plan(recreate("never"))), false);
  throws(
    () =>
      t.plan((op) =>
        op.alterTable("t", (t) => t.alterColumn("a", { nullable: false }), {
          recreate: "never",
        })
      ),
    /Cannot alter table 't' in place: .*allow a rebuild/,
  );
  throws(
    () =>
      t.plan((op) =>
        op.alterTable("t", () => {}, { recreate: "often" as "never" })
      ),
    /recreate is 'often'; say 'auto', 'always' or 'never'/,
  );
});

Deno.test("migrate 133: a default that is an expression, and a stored computed column, force a rebuild", async () => {
  await using t = await after(plain);
  const add = (column: Parameters<Operations["addColumn"]>[2]) =>
    isRebuilt(t.plan((op) => op.addColumn("t", "c", column)));
  equal(add(text().serverDefault("x")), false);
  equal(add(text().serverDefault(text("CURRENT_TIMESTAMP"))), true);
  equal(add(integer().computed(text("a * 2"))), false);
  equal(add(integer().computed(text("a * 2"), { stored: true })), true);
});

Deno.test("migrate 134: a renamed column keeps its data, and its place in keys, constraints and indexes", async () => {
  await using t = await after((op) => {
    op.createTable("u", { id: integer().primaryKey() });
    const table = op.createTable("t", {
      a: integer(),
      b: integer(),
      u: integer().references("u.id").nullable(),
    }, [primaryKey(["a", "b"]), unique(["b"], "uq"), index("ix", ["b", "u"])]);
    op.bulkInsert(table, [{ a: 1, b: 2 }]);
  });
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.renameColumn("b", "c");
      t.renameColumn("u", "v");
      // A rebuild afterwards must know the new names.
      t.alterColumn("c", { serverDefault: 7 });
    })
  );
  deepEqual(await t.rows("SELECT a, c, v FROM t"), [[1, 2, null]]);
  const text = await tableText(t.engine, "t");
  for (
    const part of [
      'PRIMARY KEY ("a", "c")',
      'CONSTRAINT "uq" UNIQUE ("c")',
      'FOREIGN KEY ("v") REFERENCES "u" ("id")',
    ]
  ) ok(text.includes(part), text);
  ok(
    (await schemaOf(t.engine)).some((sql) =>
      /"ix" ON "t" \("c", "v"\)/.test(sql)
    ),
  );
});

Deno.test("migrate 135: a dropped column leaves keys and indexes, and other foreign keys stay, that to the table itself too", async () => {
  await using t = await after((op) => {
    op.createTable("u", { id: integer().primaryKey() });
    op.createTable("t", {
      a: integer().primaryKey(),
      b: integer().primaryKey(),
      u: integer().references("u.id").nullable(),
      v: integer().references("u.id").nullable(),
      parent: integer().nullable(),
    }, [
      foreignKey(["parent"], ["t.a"]),
      unique(["a"], "uq"),
      index("ix_b", ["b"]),
      index("ix_u", ["u"]),
      index("ix_v", ["v"]),
    ]);
  });
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.dropColumn("b");
      t.dropColumn("u");
    })
  );
  const text = await tableText(t.engine, "t");
  ok(!/"b"|"u" INTEGER/.test(text), text);
  match(text, /PRIMARY KEY/);
  ok(text.includes('FOREIGN KEY ("v") REFERENCES "u" ("id")'), text);
  ok(text.includes('FOREIGN KEY ("parent") REFERENCES "t" ("a")'), text);
  const indexes = (await schemaOf(t.engine)).filter((sql) =>
    sql.startsWith("CREATE INDEX")
  );
  equal(indexes.length, 1);
  match(indexes[0]!, /"ix_v"/);
  await t.undo();
  match(await tableText(t.engine, "t"), /"b" INTEGER NOT NULL/);
});

Deno.test("migrate 136: values are cast where the kind of storage changes, JSON and times never are", async () => {
  await using t = await after((op) => {
    const table = op.createTable("t", {
      id: integer().primaryKey(),
      word: text(20),
      number: integer(),
      doc: json(),
      at: timestamp(),
    });
    op.bulkInsert(table, [{
      word: "12",
      number: 3,
      doc: { a: [1] },
      at: new Date(0),
    }]);
  });
  const copied = (
    column: string,
    type: Parameters<Operations["addColumn"]>[2],
  ) =>
    t.plan((op) => op.alterColumn("t", column, { type }))
      .find((sql) => sql.startsWith("INSERT INTO"))!;
  ok(!copied("word", text(40)).includes("CAST"));
  ok(!copied("word", text()).includes("CAST"));
  match(copied("word", integer()), /CAST\("word" AS INTEGER\)/);
  match(copied("number", text()), /CAST\("number" AS TEXT\)/);
  match(copied("number", real()), /CAST\("number" AS REAL\)/);
  ok(!copied("doc", text()).includes("CAST"));
  ok(!copied("at", text()).includes("CAST"));
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.alterColumn("word", { type: integer() });
      t.alterColumn("number", { type: text() });
      t.alterColumn("at", { type: timestamp(), nullable: true });
    })
  );
  deepEqual(await t.rows("SELECT word, number, doc, at FROM t"), [
    [12, "3", '{"a":[1]}', "1970-01-01T00:00:00.000Z"],
  ]);
});

Deno.test("migrate 137: NULL, default and remark are changed, and the rows stay", async () => {
  await using t = await after((op) => {
    plain(op);
    op.execute("INSERT INTO t (a, b) VALUES (1, 'x')", {
      undo: "DELETE FROM t",
    });
  });
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.alterColumn("a", { nullable: false });
      t.alterColumn("b", { serverDefault: "y", comment: "words" });
    })
  );
  await t.rows("INSERT INTO t (a) VALUES (2)");
  deepEqual(await t.rows("SELECT id, a, b FROM t"), [[1, 1, "x"], [2, 2, "y"]]);
  await rejects(t.rows("INSERT INTO t (b) VALUES ('z')"));
  // The remark is the revisions' own.
  ok(!(await tableText(t.engine, "t")).includes("words"));
});

Deno.test("migrate 138: constraints of every kind come and go, and one that is not there is named", async () => {
  await using t = await after((op) => {
    op.createTable("t", {
      a: text(),
      b: integer(),
      c: integer().nullable(),
    });
    op.createTable("u", { id: integer().primaryKey() });
  });
  const before = await tableText(t.engine, "t");
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.createPrimaryKey("pk", ["a"]);
      t.createUniqueConstraint("uq", ["b"]);
      t.createForeignKey("fk", ["c"], ["u.id"], { onDelete: "set null" });
      t.createCheckConstraint("ck", text("b > 0"));
    })
  );
  const full = await tableText(t.engine, "t");
  for (const name of ["pk", "uq", "fk", "ck"]) {
    ok(full.includes(`CONSTRAINT "${name}"`), full);
  }
  await t.run((op) =>
    op.alterTable("t", (t) => {
      for (const name of ["pk", "uq", "fk", "ck"]) t.dropConstraint(name);
    })
  );
  equal(await tableText(t.engine, "t"), before);
  await t.undo();
  const lines = (text: string) =>
    text.replaceAll(",\n", "\n").split("\n").sort();
  deepEqual(lines(await tableText(t.engine, "t")), lines(full));
  match(
    t.plan((op) =>
      op.alterTable("t", (t) => t.addConstraint(check(text("b > 1"))))
    ).find((sql) => sql.startsWith('CREATE TABLE "t"'))!,
    /\n {2}CHECK \(b > 1\)/,
  );
  throws(
    () => t.plan((op) => op.dropConstraint("nothing", "t")),
    /Cannot drop constraint 'nothing' of table 't': it has 'pk', 'uq', 'fk', 'ck'; name one of these/,
  );
});

Deno.test("migrate 139: a foreign key without a name goes by the one that a convention, or Postgres, would give it", async () => {
  const make: Record = (op) => {
    op.createTable("u", { id: integer().primaryKey() });
    op.createTable("t", { a: integer().references("u.id") });
  };
  const cases: [string, NamingConvention | undefined][] = [
    ["t_a_fkey", undefined],
    ["fk_t_a_u", { foreignKey: "fk_{table}_{columns}_{referred}" }],
  ];
  for (const [name, naming] of cases) {
    await using t = await after(make, naming);
    const before = await tableText(t.engine, "t");
    match(before, /FOREIGN KEY/);
    await t.run((op) => op.dropConstraint(name, "t"));
    ok(!(await tableText(t.engine, "t")).includes("FOREIGN KEY"), name);
    await t.undo();
    equal(await tableText(t.engine, "t"), before);
  }
});

Deno.test("migrate 141: indexes are made anew, those of expressions too, with what comes and goes in the same change", async () => {
  await using t = await after((op) => {
    plain(op);
    op.createIndex("ix_kept", "t", [text("lower(b)"), text("a").desc()], {
      where: text("a > 0"),
    });
    op.createIndex("ix_gone", "t", ["a"]);
  });
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.alterColumn("a", { serverDefault: 1 });
      t.dropIndex("ix_gone");
      t.createIndex("ix_new", ["b"], { unique: true });
    })
  );
  const indexes = (await schemaOf(t.engine)).filter((sql) =>
    sql.includes(" INDEX ")
  );
  deepEqual(indexes, [
    'CREATE INDEX "ix_kept" ON "t" ((lower(b)), (a) DESC) WHERE a > 0',
    'CREATE UNIQUE INDEX "ix_new" ON "t" ("b")',
  ]);
});

Deno.test("migrate 142: the check of an enumeration follows its column, and is there once", async () => {
  await using t = await after((op) =>
    void op.createTable("t", {
      id: integer().primaryKey(),
      mood: enumeration("mood", ["ok", "bad"]),
    })
  );
  await t.run((op) =>
    op.alterTable("t", (t) => {
      t.renameColumn("mood", "state");
      t.alterColumn("state", { serverDefault: "ok" });
    })
  );
  const text = await tableText(t.engine, "t");
  equal(text.match(/CHECK/g)?.length, 1);
  match(text, /CHECK \("state" IN \('ok', 'bad'\)\)/);
  await rejects(t.rows("INSERT INTO t (state) VALUES ('other')"));
});

Deno.test("migrate 144: a foreign key to the table itself points at its final name", async () => {
  await using t = await after((op) =>
    void op.createTable("t", {
      id: integer().primaryKey(),
      parent: integer().references("t.id").nullable(),
    })
  );
  await t.rows("INSERT INTO t (id, parent) VALUES (1, NULL), (2, 1)");
  await t.run((op) => op.alterColumn("t", "parent", { serverDefault: 1 }));
  const text = await tableText(t.engine, "t");
  match(text, /REFERENCES "t" \("id"\)/);
  deepEqual(await t.rows("SELECT id, parent FROM t"), [[1, null], [2, 1]]);
  await rejects(t.rows("INSERT INTO t (parent) VALUES (9)"));
});

Deno.test("migrate 145: a copy that fails leaves the table as it was, and nothing beside it", async () => {
  await using t = await after(plain);
  await t.rows("INSERT INTO t (a) VALUES (NULL)");
  const before = await schemaOf(t.engine);
  await rejects(t.run((op) => op.alterColumn("t", "a", { nullable: false })));
  deepEqual(await schemaOf(t.engine), before);
  deepEqual(await t.rows("SELECT count(*) FROM t"), [[1]]);
});

Deno.test("migrate 146: a script of a rebuild needs the table's description, and names the table without it", async () => {
  await using engine = memoryEngine();
  const script = (original?: Table) =>
    upgradeScript(
      createMigrator({
        revisions: [revision({
          revision: "aaaa1111",
          upgrade: (op) =>
            op.alterColumn(
              "t",
              "a",
              { nullable: false },
              original ? { original } : {},
            ),
        })],
        engine,
      }),
      "head",
    );
  await rejects(
    async () => await script(),
    /Cannot alter table 't' in place: .*give alterTable\(…, \{ original: table\(…\) \}\)/,
  );
  const known = table("t", new MetaData(), { a: integer().nullable() });
  match(
    await script(known),
    /CREATE TABLE "t" \(\n {2}"a" INTEGER NOT NULL\n\)/,
  );
});
