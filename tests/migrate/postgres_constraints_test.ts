/** What only Postgres can say of indexes and constraints, on a real server behind Neon's HTTP. */
import {
  deepEqual,
  equal,
  match,
  ok,
  rejects,
  throws,
} from "node:assert/strict";
import {
  compareMetadata,
  createMigrator,
  describeOperations,
  MigrateError,
  type Operation,
  renderOperations,
  type Revision,
  revision,
  StepFailedError,
  UnsupportedChangeError,
  upgradeScript,
} from "../../migrate/mod.ts";
import {
  check,
  createAll,
  createEngine,
  type Engine,
  exclude,
  foreignKey,
  index,
  integer,
  MetaData,
  postgres,
  reflect,
  sql,
  table,
  text,
  unique,
} from "../../sql/mod.ts";
import { after } from "./after.ts";
import { rowsOf, startD1, startNeon } from "./databases.ts";
import { ENGINES, planned, type Record, recorded } from "./planned.ts";

const neon = await startNeon("server");
const d1 = await startD1("lacks");
Deno.test.afterAll(async () => {
  await neon[Symbol.asyncDispose]();
  await d1[Symbol.asyncDispose]();
});

const people: Record = (op) =>
  void op.createTable("people", {
    id: integer().primaryKey(),
    name: text().nullable(),
    age: integer().nullable(),
  });

const indexes = (engine: Engine, table = "people") =>
  rowsOf(
    engine,
    `SELECT indexdef FROM pg_indexes WHERE tablename = '${table}' ORDER BY indexname`,
  ).then((rows) => rows.flat().map((sql) => String(sql)));

Deno.test("migrate 122: an index is over columns and expressions, unique, partial, with what it keeps, and made if it is not there", () => {
  const p = '"people"';
  const cases: [Record, string, string][] = [
    [
      (op) =>
        op.createIndex("ix", "people", ["name", text("lower(name)").desc()]),
      `CREATE INDEX "ix" ON ${p} ("name", (lower(name)) DESC)`,
      `CREATE INDEX "ix" ON ${p} ("name", (lower(name)) DESC)`,
    ],
    [
      (op) =>
        op.createIndex("ix", "people", ["name"], {
          unique: true,
          ifNotExists: true,
        }),
      `CREATE UNIQUE INDEX IF NOT EXISTS "ix" ON ${p} ("name")`,
      `CREATE UNIQUE INDEX IF NOT EXISTS "ix" ON ${p} ("name")`,
    ],
    [
      (op) =>
        op.createIndex("ix", "people", ["name"], {
          where: text("age > 1"),
          include: ["age"],
        }),
      // An index of SQLite keeps nothing beside its keys, and finds the same.
      `CREATE INDEX "ix" ON ${p} ("name") WHERE age > 1`,
      `CREATE INDEX "ix" ON ${p} ("name") INCLUDE ("age") WHERE age > 1`,
    ],
    [
      (op) => op.createIndex("ix", "people", ["name"], { using: "hash" }),
      `CREATE INDEX "ix" ON ${p} ("name")`,
      `CREATE INDEX "ix" ON ${p} USING "hash" ("name")`,
    ],
    [
      (op) => op.createIndex("ix", "people", ["name"], { concurrently: true }),
      `CREATE INDEX "ix" ON ${p} ("name")`,
      `CREATE INDEX CONCURRENTLY "ix" ON ${p} ("name")`,
    ],
    [
      (op) => op.dropIndex("ix", "people", { ifExists: true }),
      `DROP INDEX IF EXISTS "ix"`,
      `DROP INDEX IF EXISTS "ix"`,
    ],
    [
      (op) =>
        op.dropIndex("ix", "people", { concurrently: true, ifExists: true }),
      `DROP INDEX IF EXISTS "ix"`,
      `DROP INDEX CONCURRENTLY IF EXISTS "ix"`,
    ],
    [
      (op) => op.dropIndex("ix", "people", { schema: 'odd "s"' }),
      `DROP INDEX "odd ""s"""."ix"`,
      `DROP INDEX "odd ""s"""."ix"`,
    ],
  ];
  for (const [record, onSqlite, onPostgres] of cases) {
    deepEqual(planned("sqlite", record, people), [onSqlite]);
    deepEqual(planned("postgres", record, people), [onPostgres]);
    // The same of a table that no revision describes.
    deepEqual(planned("postgres", record), [onPostgres]);
  }
});

Deno.test("migrate 122: indexes of all kinds come and go on Postgres over HTTP, those that a transaction cannot hold by themselves", async () => {
  const engine = await neon.engine("indexes");
  await using t = await after(people, undefined, engine);
  const before = await indexes(engine);
  await t.run((op) => {
    op.createIndex("ix_all", "people", [text("lower(name)").desc(), "age"], {
      unique: true,
      where: text("age > 1"),
      include: ["id"],
      nullsNotDistinct: true,
      concurrently: true,
    });
    op.createIndex("ix_hash", "people", ["name"], { using: "hash" });
  });
  deepEqual(await indexes(engine), [
    "CREATE UNIQUE INDEX ix_all ON public.people USING btree (lower(name) DESC, age) INCLUDE (id) NULLS NOT DISTINCT WHERE (age > 1)",
    "CREATE INDEX ix_hash ON public.people USING hash (name)",
    ...before,
  ]);
  const full = await indexes(engine);
  await t.run((op) => {
    op.dropIndex("ix_all", "people", { concurrently: true });
    op.dropIndex("ix_hash", "people", { ifExists: true });
  });
  deepEqual(await indexes(engine), before);
  await t.undo();
  deepEqual(await indexes(engine), full);
  await t.run((op) =>
    op.dropIndex("nothing", "people", { concurrently: true, ifExists: true })
  );
});

const indexed = revision({
  revision: "1d1d1d1d1d1d",
  upgrade(op) {
    people(op);
    op.createIndex("ix", "people", ["name"]);
  },
});
const unindexed = revision({
  revision: "2d2d2d2d2d2d",
  downRevision: indexed.revision,
  upgrade: (op) => op.dropIndex("ix", "people", { concurrently: true }),
  downgrade: "reverse",
});

Deno.test("migrate 122: a step with a concurrent index is three trips, a script ends its transaction before it, and neither is one with others", async () => {
  const engine = await neon.engine("trips");
  const migrator = createMigrator({ revisions: [indexed, unindexed], engine });
  const [, step] = migrator.planner.upgrade([], "head");
  deepEqual(step!.segments.map(({ isOutside }) => isOutside), [true]);
  const revisions: Revision[] = [indexed, unindexed];
  const script = await upgradeScript(
    createMigrator({ revisions, engine: ENGINES.postgres! }),
    "head",
  );
  match(script, /COMMIT;\s+DROP INDEX CONCURRENTLY "ix";\s+BEGIN;/);
  await rejects(
    createMigrator({ revisions, engine, transactionPerMigration: false })
      .upgrade(),
    (error) => {
      ok(error instanceof MigrateError);
      equal(error.code, "migrate/not-one-transaction");
      return true;
    },
  );
  await migrator.upgrade();
  equal((await indexes(engine)).length, 1);
  await migrator.downgrade("-1");
  equal((await indexes(engine)).length, 2);
});

Deno.test("migrate 122: the removal of an index that was interrupted is taken up, whether the index is gone or not", async () => {
  for (const isGone of [true, false]) {
    const engine = await neon.engine(`gone_${isGone}`);
    await createMigrator({ revisions: [indexed], engine }).upgrade();
    // The line dies before the index goes, or before that is noted.
    let isDead = false;
    const dies = (sql: string) => {
      const isHere = isGone
        ? /checkpoint = '1'/.test(sql)
        : /^DROP INDEX/.test(sql);
      isDead ||= isHere;
      if (isDead) throw new Error("the line is dead");
    };
    const { driver } = engine;
    const dying = createEngine({
      ...driver,
      execute: (statement) => {
        dies(statement.sql);
        return driver.execute(statement);
      },
      batch: (statements, options) => {
        for (const { sql } of statements) dies(sql);
        return driver.batch(statements, options);
      },
    });
    const options = {
      revisions: [indexed, unindexed],
      sleep: () => Promise.resolve(),
      leaseMs: 1,
    };
    await rejects(
      createMigrator({ ...options, engine: dying }).upgrade(),
      StepFailedError,
    );
    equal((await indexes(engine)).length, isGone ? 1 : 2);
    await createMigrator({ ...options, engine }).upgrade();
    equal((await indexes(engine)).length, 1);
  }
});

const definitions = (engine: Engine, name: string) =>
  rowsOf(
    engine,
    `SELECT conname, pg_get_constraintdef(oid), convalidated::text FROM pg_constraint WHERE conrelid = '${name}'::regclass AND contype NOT IN ('n', 'p') ORDER BY 1`,
  );

Deno.test("migrate 123: keys and checks that do not look at old rows, and look later, on Postgres; and at once where a table is rebuilt", async () => {
  const make: Record = (op) => {
    const u = op.createTable("u", { id: integer().primaryKey() });
    const t = op.createTable("t", {
      id: integer().primaryKey(),
      u: integer().nullable(),
      age: integer(),
    });
    op.bulkInsert(u, [{ id: 1 }]);
    op.bulkInsert(t, [{ id: 1, u: 1, age: -1 }, { id: 2, u: 7, age: 1 }]);
  };
  const add: Record = (op) => {
    op.createForeignKey("fk", "t", ["u"], ["u.id"], { notValid: true });
    op.createCheckConstraint("ck", "t", text("age > 0"), { notValid: true });
  };
  const engine = await neon.engine("not_valid");
  await using t = await after(make, undefined, engine);
  await t.run(add);
  deepEqual(await definitions(engine, "t"), [
    ["ck", "CHECK ((age > 0)) NOT VALID", "false"],
    ["fk", "FOREIGN KEY (u) REFERENCES u(id) NOT VALID", "false"],
  ]);
  await rejects(engine.execute(sql`INSERT INTO t VALUES (3, 1, -5)`));
  const validate: Record = (op) => {
    op.validateConstraint("fk", "t");
    op.validateConstraint("ck", "t", { type: "check" });
  };
  await rejects(t.run(validate), StepFailedError);
  await engine.execute(sql`UPDATE t SET u = 1, age = 2`);
  await t.run(() => {});
  deepEqual((await definitions(engine, "t")).map(([, , valid]) => valid), [
    "true",
    "true",
  ]);
  deepEqual(planned("postgres", add, make), [
    'ALTER TABLE "t" ADD CONSTRAINT "fk" FOREIGN KEY ("u") REFERENCES "u" ("id") NOT VALID',
    'ALTER TABLE "t" ADD CONSTRAINT "ck" CHECK (age > 0) NOT VALID',
  ]);

  await using s = await after(make);
  await rejects(s.run(add), /CHECK constraint failed|would name others/);
  deepEqual(planned("sqlite", validate, make), []);
  throws(
    () =>
      recorded((op) =>
        op.alterTable(
          "t",
          (t) => t.addConstraint(unique(["u"], "uq"), { notValid: true }),
        )
      ),
    /Cannot add constraint of type 'unique' as notValid: only a foreign key or a check/,
  );
});

const odd = 'odd "c"';
const booked: Record = (op) => {
  const t = op.createTable(
    'the "t"',
    {
      id: integer().primaryKey().comment("it's the key"),
      [odd]: integer().comment("words"),
      begins: integer(),
      ends: integer(),
    },
    [
      exclude([[odd, "="], ["begins", "="]], {
        name: 'no "two"',
        using: "btree",
        where: text("ends > 0"),
        deferrable: true,
        initiallyDeferred: true,
      }),
    ],
    { comment: "50% of 'it'" },
  );
  op.bulkInsert(t, [{ id: 1, [odd]: 1, begins: 1, ends: 2 }]);
};

Deno.test("migrate 123: exclusion constraints, with every name quoted, hold on Postgres, and other databases are told apart", async () => {
  const engine = await neon.engine("excludes");
  await using t = await after(booked, undefined, engine);
  const before = [[
    'no "two"',
    'EXCLUDE USING btree ("odd ""c""" WITH =, begins WITH =) WHERE ((ends > 0)) DEFERRABLE INITIALLY DEFERRED',
    "true",
  ]];
  deepEqual(await definitions(engine, '"the ""t"""'), before);
  await rejects(
    engine.execute(sql`INSERT INTO "the ""t""" VALUES (2, 1, 1, 3)`),
    /conflicting key|exclusion|no "two"/,
  );
  await t.run((op) =>
    op.alterTable('the "t"', (t) => {
      t.dropConstraint('no "two"', { type: "exclude" });
      t.createExcludeConstraint("no_overlap", [
        [text("int4range(begins, ends)"), "&&"],
      ]);
    })
  );
  deepEqual(await definitions(engine, '"the ""t"""'), [[
    "no_overlap",
    "EXCLUDE USING gist (int4range(begins, ends) WITH &&)",
    "true",
  ]]);
  await t.undo();
  deepEqual(await definitions(engine, '"the ""t"""'), before);

  const onD1 = createMigrator({
    revisions: [revision({ revision: "aaaa1111", upgrade: booked })],
    engine: d1.engine("lacks"),
  });
  await rejects(onD1.upgrade(), (error) => {
    ok(error instanceof UnsupportedChangeError);
    match(
      error.message,
      /Cannot make exclude 'no "two"' of table 'the "t"': the database has no exclusion constraints/,
    );
    return true;
  });
  throws(
    () => exclude([["a", "= 1); DROP TABLE t; --"]]),
    /that is no operator; give one of signs/,
  );
});

Deno.test("migrate 123: comments on tables and columns, and a key that numbers itself, on Postgres", async () => {
  const engine = await neon.engine("comments");
  await using t = await after(booked, undefined, engine);
  const comments = () =>
    rowsOf(
      engine,
      'SELECT objsubid::int, description FROM pg_description WHERE objoid = \'"the ""t"""\'::regclass ORDER BY 1',
    );
  const before = [
    [0, "50% of 'it'"],
    [1, "it's the key"],
    [2, "words"],
  ].map(([at, text]) => [String(at), text]);
  deepEqual((await comments()).map(([at, text]) => [String(at), text]), before);
  await t.run((op) =>
    op.alterTable('the "t"', (t) => {
      t.dropTableComment();
      t.alterColumn(odd, { comment: "others" });
      t.alterColumn("id", { comment: null });
      t.addColumn("more", text().nullable().comment("it's new"));
    })
  );
  deepEqual((await comments()).map(([, text]) => text), ["others", "it's new"]);
  await t.undo();
  deepEqual((await comments()).map(([at, text]) => [String(at), text]), before);
  await t.run((op) => {
    op.createTable("numbered", { id: integer().primaryKey(), a: text() });
    op.bulkInsert("numbered", [{ a: "x" }, { a: "y" }]);
  });
  deepEqual(await t.rows("SELECT id::text FROM numbered ORDER BY id"), [
    ["1"],
    ["2"],
  ]);
  deepEqual(
    await t.rows(
      "SELECT identity_generation FROM information_schema.columns WHERE table_name = 'numbered' AND column_name = 'id'",
    ),
    [["BY DEFAULT"]],
  );
});

Deno.test("migrate 123: NULLs that are not distinct, what keys keep, and keys that wait, on Postgres; where NULLs are distinct always it is refused", async () => {
  const engine = await neon.engine("nulls");
  await using t = await after(people, undefined, engine);
  const record: Record = (op) => {
    op.createUniqueConstraint("uq", "people", ["name"], {
      nullsNotDistinct: true,
      include: ["age"],
      deferrable: true,
      initiallyDeferred: true,
    });
    op.createIndex("ux", "people", ["age"], {
      unique: true,
      nullsNotDistinct: true,
    });
  };
  await t.run(record);
  deepEqual(await definitions(engine, "people"), [[
    "uq",
    "UNIQUE NULLS NOT DISTINCT (name) INCLUDE (age) DEFERRABLE INITIALLY DEFERRED",
    "true",
  ]]);
  await engine.execute(sql`INSERT INTO people (name, age) VALUES ('a', NULL)`);
  await rejects(
    engine.execute(sql`INSERT INTO people (name, age) VALUES ('b', NULL)`),
  );
  await t.undo();
  deepEqual(await definitions(engine, "people"), []);
  await t.run((op) => {
    op.alterTable("people", (t) => {
      t.dropConstraint("people_pkey");
      t.createPrimaryKey("pk", ["id"], { include: ["age"] });
    });
  });
  deepEqual(
    await t.rows(
      "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'pk'",
    ),
    [["PRIMARY KEY (id) INCLUDE (age)"]],
  );
  const lacking: [Record, string][] = [
    [record, "NULLS NOT DISTINCT"],
    [
      (op) =>
        op.createIndex("ux", "people", ["age"], { nullsNotDistinct: true }),
      "NULLS NOT DISTINCT",
    ],
    [
      (op) =>
        op.createUniqueConstraint("uq", "people", ["name"], {
          deferrable: true,
        }),
      "deferrable unique constraints",
    ],
    [
      (op) => op.createExcludeConstraint("ex", "people", [["name", "="]]),
      "exclusion constraints",
    ],
  ];
  for (const [one, what] of lacking) {
    throws(
      () => planned("sqlite", one, people),
      new RegExp(`the database has no ${what}; leave it out here`),
    );
  }
});

/** Two tables with everything that only Postgres can say. */
function model(
  change: {
    include?: string[];
    nulls?: boolean;
    wait?: boolean;
    excludes?: string[];
  },
) {
  const metadata = new MetaData();
  const { include = ["b"], nulls = true, wait = true } = change;
  const { excludes = ["ex"] } = change;
  table("u", metadata, { id: integer().primaryKey() });
  table("t", metadata, {
    id: integer().primaryKey(),
    a: integer().nullable(),
    b: integer().nullable(),
    u: integer().nullable(),
  }, [
    unique(["a"], "uq", {
      include,
      nullsNotDistinct: nulls,
      deferrable: wait,
      initiallyDeferred: wait,
    }),
    index("ix", ["a"], { include, using: "btree" }),
    index("ux", ["b"], { unique: true, nullsNotDistinct: nulls }),
    index("hashed", ["b"], { using: "hash" }),
    foreignKey(["u"], ["u.id"], { name: "fk", deferrable: wait }),
    ...excludes.map((name) =>
      exclude([["a", "="], [text("b + 1"), "="]], {
        name,
        using: "btree",
        where: text("b > 0"),
        deferrable: true,
      })
    ),
    check(text("a > 0"), "ck"),
  ]);
  return metadata;
}

Deno.test("migrate 122, 123: what Postgres alone says of indexes and keys is reflected, compared and written", async () => {
  const engine = await neon.engine("compared");
  await createAll(model({}), engine);
  const found = async (metadata: MetaData) =>
    describeOperations((await compareMetadata(engine, metadata)).operations);
  deepEqual(await found(model({})), []);
  const uq = "unique constraint 'uq' on 't' (a)";
  const [ix, ux] = ["index 'ix' on 't' (a)", "index 'ux' on 't' (b)"];
  const fk = "foreign key 'fk' (u) to (u.id) on 't'";
  const other = (...all: string[]) =>
    all.flatMap((one) => [`Detected added ${one}`, `Detected removed ${one}`])
      .sort();
  deepEqual((await found(model({ include: ["u"] }))).sort(), other(uq, ix));
  deepEqual((await found(model({ nulls: false }))).sort(), other(uq, ux));
  deepEqual((await found(model({ wait: false }))).sort(), other(uq, fk));

  deepEqual(await found(model({ excludes: ["ex", "more"] })), [
    "Detected added exclusion constraint 'more' on 't' (a, …)",
  ]);
  deepEqual(await found(model({ excludes: [] })), [
    "Detected removed exclusion constraint 'ex' on 't' (a, …)",
  ]);

  // What is written makes the same again.
  const { operations } = await compareMetadata(
    await neon.engine("empty"),
    model({}),
  );
  const { body, imports } = renderOperations(operations, { dialect: postgres });
  match(
    body,
    /unique\(\["a"\], "uq", \{ include: \["b"\], nullsNotDistinct: true, deferrable: true, initiallyDeferred: true \}\)/,
  );
  match(body, /index\("ix", \["a"\], \{ using: "btree", include: \["b"\] \}\)/);
  match(
    body,
    /exclude\(\[\["a", "="\], \[text\("b \+ 1"\), "="\]\], \{ name: "ex", using: "btree", where: text\("b > 0"\), deferrable: true \}\)/,
  );
  match(imports.toString(), /exclude, /);
  const again = await neon.engine("again");
  await createMigrator({
    revisions: [revision({
      revision: "aaaa1111",
      upgrade: (op) => operations.forEach((one: Operation) => op.invoke(one)),
    })],
    engine: again,
  }).upgrade();
  deepEqual(await definitions(again, "t"), await definitions(engine, "t"));
  // What is dropped as it was found comes back whole.
  const without = new MetaData();
  table("u", without, { id: integer().primaryKey() });
  const gone = await compareMetadata(again, without, {
    ignoredTables: ["aludel_version", "aludel_history"],
  });
  const [first, second] = [operations, gone.operations].map((all, at) =>
    revision({
      revision: at === 0 ? "aaaa1111" : "bbbb2222",
      ...(at === 0 ? {} : { downRevision: "aaaa1111" }),
      upgrade: (op) => all.forEach((one: Operation) => op.invoke(one)),
      downgrade: "reverse",
    })
  );
  const both = createMigrator({ revisions: [first!, second!], engine: again });
  await both.upgrade();
  deepEqual(await rowsOf(again, "SELECT to_regclass('t')::text"), [[null]]);
  await both.downgrade("-1");
  deepEqual(await definitions(again, "t"), await definitions(engine, "t"));
  const include = (name: string) => (metadata: MetaData) =>
    metadata.tables.get("t")!.constraints.find((one) => one.name === name);
  for (const name of ["uq", "ix", "ux", "hashed", "ex"]) {
    const [now, before] = [again, engine].map((one) =>
      reflect(one).then(include(name))
    );
    const told = await now;
    ok(told);
    deepEqual(told, await before);
  }
});
