import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import {
  createMigrator,
  EditedRevisionError,
  HeadsMovedError,
  type MigrateError,
  type MigrationEvent,
  OrphanRowsError,
  type Revision,
  revision,
  StepFailedError,
  UnknownVersionError,
} from "../../migrate/mod.ts";
import {
  createEngine,
  type Engine,
  integer,
  MetaData,
  sql,
  table,
  text,
} from "../../sql/mod.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  memoryEngine,
  rowsOf,
  schemaOf,
  startD1,
  startNeon,
} from "./databases.ts";
import { merged, posts, SET, tags, users } from "./revisions.ts";

const d1 = await startD1(
  "set",
  "eight",
  "killed",
  "failing",
  "orphans",
  "trips",
);
const neon = await startNeon();
Deno.test.afterAll(async () => {
  await d1[Symbol.asyncDispose]();
  await neon[Symbol.asyncDispose]();
});

async function versions(engine: Engine): Promise<unknown[]> {
  const rows = await rowsOf(
    engine,
    "SELECT version_num FROM aludel_version ORDER BY version_num",
  );
  return rows.map(([version]) => version);
}

async function goesUpAndDown(engine: Engine) {
  const migrator = createMigrator({ revisions: SET, engine });

  const up = await migrator.upgrade("heads");
  deepEqual(up.from, []);
  deepEqual(up.heads, [merged.revision]);
  equal(up.steps.length, 4);
  deepEqual(await rowsOf(engine, "SELECT mail FROM users ORDER BY id"), [
    ["ed@example.com"],
    ["al@example.com"],
  ]);
  deepEqual((await migrator.upgrade("heads")).steps, []);

  const down = await migrator.downgrade("-1");
  deepEqual(down.heads, [posts.revision, tags.revision]);
  deepEqual(await versions(engine), [posts.revision, tags.revision]);
  await migrator.downgrade("base");
  deepEqual(await versions(engine), []);
  await rejects(rowsOf(engine, "SELECT 1 FROM users"));

  const history = await migrator.history();
  deepEqual(history.map((row) => row.direction), [
    ...Array(4).fill("upgrade"),
    ...Array(4).fill("downgrade"),
  ]);
  ok(
    history.every((row) =>
      row.state === "applied" && row.checksum?.length === 64 &&
      row.ms !== null && row.ms >= 0 && row.appliedBy === "aludel" &&
      !Number.isNaN(Date.parse(row.appliedAt))
    ),
  );
}

Deno.test("a set with a branch and a merge goes up and down on SQLite", async () => {
  await using engine = memoryEngine();
  await goesUpAndDown(engine);
});

Deno.test("a set with a branch and a merge goes up and down on D1", async () => {
  await goesUpAndDown(d1.engine("set"));
});

Deno.test("a set with a branch and a merge goes up and down on Postgres over HTTP", async () => {
  await goesUpAndDown(await neon.engine("set"));
});

Deno.test("a revision is one trip on D1, and reading what is there one more", async () => {
  const trips: (readonly string[])[] = [];
  const engine = d1.engine("trips", (sql) => trips.push(sql));
  const migrator = createMigrator({ revisions: SET, engine });
  await migrator.upgrade(users.revision);
  equal(trips.length, 3, "a new database is asked what is missing");
  trips.length = 0;

  await migrator.upgrade(posts.revision);

  equal(trips.length, 2);
  equal(trips[0]!.length, 2, "heads and history");
});

Deno.test("migrate 178: eight runners at once on one D1 apply each revision once, and all succeed", async () => {
  const runners = Array.from({ length: 8 }, () =>
    createMigrator({
      revisions: SET,
      engine: d1.engine("eight"),
      sleep: () => Promise.resolve(),
    }));

  const results = await Promise.all(
    runners.map((migrator) => migrator.upgrade("heads")),
  );

  deepEqual(
    results.flatMap(({ steps }) => steps.map((step) => step.revision)).sort(),
    SET.map((one) => one.revision),
  );
  ok(results.every(({ heads }) => heads.join() === merged.revision));
  const history = await runners[0]!.history();
  equal(history.length, 4);
  ok(history.every((row) => row.state === "applied"));
});

Deno.test("migrate 178: eight runners at once on one Postgres apply each revision once, and no lock is left", async () => {
  await using server = await startNeon("server", 8);
  const engine = await server.engine("eight");
  const runners = Array.from(
    { length: 8 },
    () => createMigrator({ revisions: SET, engine }),
  );

  const results = await Promise.all(
    runners.map((migrator) => migrator.upgrade("heads")),
  );

  deepEqual(
    results.flatMap(({ steps }) => steps.map((step) => step.revision)).sort(),
    SET.map((one) => one.revision),
  );
  ok(results.every(({ heads }) => heads.join() === merged.revision));
  deepEqual(
    await rowsOf(
      engine,
      "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'",
    ),
    [["0"]],
  );
});

/** A revision whose statement number `at` fails. */
function failingAt(at: number): Revision {
  return revision({
    revision: "5e4abbeed4f5",
    downRevision: users.revision,
    upgrade(op) {
      const statements = [
        "UPDATE users SET mail = 'changed' WHERE id = 1",
        "CREATE TABLE extra (id INTEGER PRIMARY KEY)",
        "INSERT INTO extra (id) VALUES (7)",
        "ALTER TABLE users ADD COLUMN age INTEGER",
      ];
      statements.splice(at, 0, "INSERT INTO nowhere VALUES (1)");
      for (const statement of statements) op.execute(statement);
    },
  });
}

async function failsWhole(engine: Engine, look: () => Promise<unknown>) {
  await createMigrator({ revisions: [users], engine }).upgrade();
  const before = await look();
  for (let at = 0; at <= 4; at++) {
    const migrator = createMigrator({
      revisions: [users, failingAt(at)],
      engine,
    });
    await rejects(
      migrator.upgrade(),
      (error: StepFailedError) =>
        error instanceof StepFailedError &&
        error.revision === "5e4abbeed4f5" && error.direction === "upgrade" &&
        error.cause !== undefined,
    );
    deepEqual(await look(), before, `statement ${at}`);
  }
}

Deno.test("migrate 179: a failing statement at any place leaves schema, data and version rows on D1", async () => {
  const engine = d1.engine("failing");
  await failsWhole(engine, async () => [
    await schemaOf(engine),
    await rowsOf(engine, "SELECT * FROM users ORDER BY id"),
    await versions(engine),
    await rowsOf(engine, "SELECT * FROM aludel_history"),
  ]);
});

Deno.test("migrate 179: a failing statement at any place leaves schema, data and version rows on Postgres", async () => {
  const engine = await neon.engine("failing");
  await failsWhole(engine, async () => [
    await rowsOf(
      engine,
      "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    ),
    await rowsOf(engine, "SELECT * FROM users ORDER BY id"),
    await versions(engine),
    await rowsOf(engine, "SELECT * FROM aludel_history"),
  ]);
});

Deno.test("a database that dies in the middle of a batch holds nothing of it", async () => {
  const engine = d1.engine("killed");
  await createMigrator({ revisions: [users], engine }).upgrade();
  const before = await schemaOf(engine);
  // A deferred key that does not hold at commit: the platform resets the
  // object that is the database, in the middle of the batch.
  const fatal = revision({
    revision: "6f5bccffe506",
    downRevision: users.revision,
    upgrade(op) {
      op.execute("CREATE TABLE half (id INTEGER PRIMARY KEY)");
      op.execute(
        "CREATE TABLE child (u INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)",
      );
      op.execute("INSERT INTO child VALUES (99)");
    },
  });
  await rejects(
    createMigrator({
      revisions: [users, fatal],
      engine,
      foreignKeyGuard: "never",
      waitMs: 0,
    }).upgrade(),
    StepFailedError,
  );
  deepEqual(await schemaOf(engine), before);
  deepEqual(await versions(engine), [users.revision]);
});

Deno.test("a runner that is killed in the middle of a batch leaves nothing half done", async () => {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  const program = `
    import { sqlite } from "${new URL(
    "../../backends/sqlite.ts",
    import.meta.url,
  )}";
    import { createMigrator, revision } from "${new URL(
    "../../migrate/mod.ts",
    import.meta.url,
  )}";
    import { createEngine } from "${new URL(
    "../../sql/mod.ts",
    import.meta.url,
  )}";
    const engine = createEngine(sqlite(${JSON.stringify(path)}));
    await createMigrator({ engine, revisions: [
      revision({ revision: "a1", upgrade: (op) => op.execute("CREATE TABLE kept (id INTEGER)") }),
      revision({ revision: "b1", downRevision: "a1", upgrade(op) {
        op.execute("CREATE TABLE half (id INTEGER)");
        op.execute("INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n");
      } }),
    ], onProgress: (e) => { if (e.type === "step") console.log(e.step.revision); } }).upgrade();
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      `data:application/typescript,${encodeURIComponent(program)}`,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let told = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    told += chunk;
    // The endless statement of the second revision is under way, or about to.
    if (told.includes("b1")) break;
  }
  child.kill("SIGKILL");
  await child.status;

  const engine = createEngine(sqlite(path));
  deepEqual(await versions(engine), ["a1"]);
  await rejects(rowsOf(engine, "SELECT 1 FROM half"));
  deepEqual(await rowsOf(engine, "SELECT version FROM aludel_history"), [
    ["a1"],
  ]);
  await engine.close();
  for (const end of ["", "-journal"]) {
    await Deno.remove(path + end).catch(() => {});
  }
});

Deno.test("a connection that is cut in the middle of a batch on Postgres leaves nothing, and the step is done once after it", async () => {
  await using server = await startNeon("server", 4);
  const engine = await server.engine("cut");
  await createMigrator({ revisions: [users], engine }).upgrade();
  const slow = revision({
    revision: "6f5bccffe506",
    downRevision: users.revision,
    upgrade(op) {
      op.execute("INSERT INTO users (id, mail) VALUES (3, 'half')");
      op.execute("SELECT pg_sleep(1.5)");
    },
  });
  const migrator = createMigrator({ revisions: [users, slow], engine });
  // How the cut is told depends on the moment: where it is told as a broken
  // connection the runner has tried again by itself.
  const run = migrator.upgrade().then(() => true, (error) => {
    ok(error instanceof StepFailedError);
    return false;
  });
  for (let killed = 0; killed === 0;) {
    const rows = await rowsOf(
      engine,
      "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
    );
    killed = rows.length;
  }
  if (!await run) {
    deepEqual(await rowsOf(engine, "SELECT count(*)::text FROM users"), [[
      "2",
    ]]);
    deepEqual(await versions(engine), [users.revision]);
    await migrator.upgrade();
  }

  deepEqual(await rowsOf(engine, "SELECT count(*)::text FROM users"), [["3"]]);
  equal((await migrator.history()).length, 2);
});

Deno.test("a step that would leave rows without the row they name is undone and names the tables", async () => {
  const engine = d1.engine("orphans");
  const broken = revision({
    revision: "6f5bccffe506",
    downRevision: posts.revision,
    upgrade(op) {
      op.execute("PRAGMA defer_foreign_keys = ON");
      op.execute("INSERT INTO posts (id, user_id, body) VALUES (1, 99, 'x')");
    },
  });
  const migrator = createMigrator({
    revisions: [users, posts, broken],
    engine,
  });
  await rejects(
    migrator.upgrade(),
    (error: OrphanRowsError) =>
      error instanceof OrphanRowsError && error.revision === broken.revision &&
      error.tables.join() === "posts to users",
  );
  deepEqual(await versions(engine), [posts.revision]);
});

Deno.test("orphans from before do not stop a migration that makes none", async () => {
  await using engine = memoryEngine();
  const add = revision({
    revision: "6f5bccffe506",
    downRevision: posts.revision,
    upgrade: (op) => op.execute("UPDATE users SET mail = 'x'"),
  });
  await createMigrator({ revisions: [users, posts], engine }).upgrade();
  await rowsOf(engine, "PRAGMA foreign_keys = OFF");
  await rowsOf(engine, "INSERT INTO posts VALUES (1, 99, 'x')");
  await rowsOf(engine, "PRAGMA foreign_keys = ON");

  const { heads } = await createMigrator({
    revisions: [users, posts, add],
    engine,
  }).upgrade();

  deepEqual(heads, [add.revision]);
});

Deno.test("migrate 176: an applied revision that was edited is refused unless it is allowed", async () => {
  await using engine = memoryEngine();
  await createMigrator({ revisions: [users], engine }).upgrade();
  const edited = revision({
    ...users,
    upgrade(op) {
      op.createTable("users", { id: integer().primaryKey() });
    },
  });
  const next = revision({
    revision: "7a6cdd00f617",
    downRevision: users.revision,
    upgrade: (op) => op.addColumn("users", "age", integer().nullable()),
  });

  await rejects(
    createMigrator({ revisions: [edited, next], engine }).upgrade(),
    (error: EditedRevisionError) =>
      error instanceof EditedRevisionError &&
      error.revisions.join() === users.revision,
  );
  await createMigrator({ revisions: [edited, next], engine, allowEdited: true })
    .upgrade();
});

Deno.test("migrate 176: comments, messages and the order of options are no edit", async () => {
  await using engine = memoryEngine();
  await createMigrator({ revisions: [users, posts], engine }).upgrade();
  const rewritten = revision({
    ...posts,
    message: "posts, with another message",
    upgrade(op) {
      // a comment
      op.createTable("posts", {
        id: integer().primaryKey(),
        user_id: integer().references("users.id", { onDelete: "cascade" }),
        body: text().default("only the program knows this"),
      });
      op.alterTable("posts", (t) => {
        t.createIndex("ix_posts_user_id", ["user_id"]);
      });
    },
  });
  await createMigrator({ revisions: [users, rewritten], engine }).upgrade();
});

Deno.test("migrate 177: an applied revision without its file is named, and a stamp resolves it", async () => {
  await using engine = memoryEngine();
  await createMigrator({ revisions: [users, posts], engine }).upgrade();
  const migrator = createMigrator({ revisions: [users], engine });

  await rejects(
    migrator.upgrade(),
    (error: UnknownVersionError) =>
      error instanceof UnknownVersionError &&
      error.versions.join() === posts.revision &&
      error.table === "aludel_version",
  );
  await migrator.stamp(users.revision, { purge: true });
  deepEqual((await migrator.upgrade()).heads, [users.revision]);
});

Deno.test("migrate 74, 75: rows that are there twice, or not at all, stop a step, with the table and the count", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({
    revisions: [users, posts],
    engine,
    versionTablePrimaryKey: false,
    waitMs: 0,
    sleep: () => Promise.resolve(),
  });
  await migrator.upgrade(users.revision);
  await rowsOf(
    engine,
    `INSERT INTO aludel_version VALUES ('${users.revision}')`,
  );

  await rejects(
    migrator.upgrade(),
    (error: HeadsMovedError) =>
      error instanceof HeadsMovedError && error.table === "aludel_version" &&
      error.actual.length === 2 && /2 row\(s\)/.test(error.message),
  );
  const kept = createMigrator({
    revisions: [users, posts],
    engine: memoryEngine(),
  });
  await kept.upgrade(users.revision);
  await rejects(
    rowsOf(
      kept.engine,
      `INSERT INTO aludel_version VALUES ('${users.revision}')`,
    ),
    { name: "UniqueViolationError" },
  );
  await kept.engine.close();
});

Deno.test("migrate 71: the version table has its default name or another, a schema, and a primary key named after it", async () => {
  await using engine = memoryEngine();
  const text = (options: Parameters<typeof createMigrator>[0]) =>
    createMigrator(options).store.create()[0]!.sql.replaceAll(/\s+/g, " ");
  equal(
    text({ revisions: SET, engine }),
    'CREATE TABLE IF NOT EXISTS "aludel_version" ( "version_num" TEXT NOT NULL, CONSTRAINT "aludel_version_pkc" PRIMARY KEY ("version_num") )',
  );
  equal(
    text({ revisions: SET, engine, versionTable: "alembic_version" }).includes(
      'CONSTRAINT "alembic_version_pkc"',
    ),
    true,
  );
  equal(
    text({
      revisions: SET,
      engine,
      versionTableSchema: "ops",
      versionTablePrimaryKey: false,
    }),
    'CREATE TABLE IF NOT EXISTS "ops"."aludel_version" ( "version_num" TEXT NOT NULL )',
  );
});

Deno.test("migrate 72: reading what is current makes no table, and no table means no heads", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({ revisions: SET, engine });
  deepEqual(await migrator.current(), {
    heads: [],
    implied: [],
    hasVersionTable: false,
  });
  deepEqual(await schemaOf(engine), []);
});

Deno.test("migrate 85: the version table may have columns of one's own", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({
    revisions: [users],
    engine,
    versionTableColumns: { note: text().serverDefault("ours") },
  });
  await migrator.upgrade();
  deepEqual(await rowsOf(engine, "SELECT * FROM aludel_version"), [
    [users.revision, "ours"],
  ]);
});

Deno.test("migrate 86, 114: a version is written in the step's own transaction, with the statements a callback adds, stamps included", async () => {
  await using engine = memoryEngine();
  await rowsOf(engine, "CREATE TABLE seen (text TEXT)");
  const seen: string[] = [];
  const migrator = createMigrator({
    revisions: [users, posts],
    engine,
    onVersionApply(step) {
      const line = `${step.direction} ${step.change.heads.join()}`;
      seen.push(line);
      return [sql`INSERT INTO seen VALUES (${line})`];
    },
  });
  await migrator.stamp(users.revision);
  await migrator.stamp("base");
  await migrator.upgrade(users.revision);
  await rowsOf(engine, "CREATE TABLE posts (x INTEGER)");
  await rejects(migrator.upgrade(), StepFailedError);

  const expected = [
    `stamp ${users.revision}`,
    "stamp ",
    `upgrade ${users.revision}`,
  ];
  deepEqual(
    (await rowsOf(engine, "SELECT text FROM seen")).map(([line]) => line),
    expected,
    "the failed step's statement is undone with it",
  );
  deepEqual(seen, [...expected, `upgrade ${posts.revision}`]);
});

Deno.test("migrate 112: a statement that would end or open a transaction is refused when it is recorded", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({
    revisions: [
      revision({
        revision: "8b7dee11a728",
        upgrade: (op) => op.execute(" begin immediate"),
      }),
    ],
    engine,
  });
  await rejects(
    migrator.upgrade(),
    (error: MigrateError) =>
      /Cannot record 'begin'/.test(error.message) &&
      error.code === "migrate/operation",
  );
});

Deno.test("the whole run can be one transaction", async () => {
  await using engine = memoryEngine();
  const broken = revision({
    revision: "9c8eff22b839",
    downRevision: merged.revision,
    upgrade: (op) => op.execute("INSERT INTO nowhere VALUES (1)"),
  });
  const migrator = createMigrator({
    revisions: [...SET, broken],
    engine,
    transactionPerMigration: false,
  });
  await rejects(migrator.upgrade(), StepFailedError);
  deepEqual(await schemaOf(engine), []);
  deepEqual((await migrator.upgrade(merged.revision)).steps.length, 4);
});

Deno.test("progress is told step by step", async () => {
  await using engine = memoryEngine();
  const events: string[] = [];
  await createMigrator({
    revisions: SET,
    engine,
    onProgress(event: MigrationEvent) {
      if (event.type === "step" || event.type === "applied") {
        events.push(`${event.type} ${event.index}/${event.total}`);
      }
    },
  }).upgrade("heads");
  deepEqual(events.slice(0, 3), ["step 1/4", "applied 1/4", "step 2/4"]);
  equal(events.length, 8);
});

Deno.test("a relative target means the place it had when it was asked for", async () => {
  await using engine = memoryEngine();
  const first = createMigrator({ revisions: SET, engine });
  await first.upgrade(users.revision);
  // Another runner is faster between planning and sending.
  let once = true;
  const second = createMigrator({
    revisions: [users, posts],
    engine,
    sleep: () => Promise.resolve(),
    onProgress(event) {
      if (event.type === "outdated") once = false;
    },
  });
  const steps = second.planner.upgrade([users.revision], "+1");
  deepEqual(steps.map((step) => step.revision), [posts.revision]);
  await first.upgrade(posts.revision);
  deepEqual((await second.upgrade("heads")).heads, [posts.revision]);
  equal(once, true);
});

Deno.test("migrate 116: an operation recorded after upgrade() has returned says so", async () => {
  await using engine = memoryEngine();
  let late: (() => void) | undefined;
  await createMigrator({
    revisions: [
      revision({
        revision: "ad9f0033c94a",
        upgrade(op) {
          late = () => op.execute("SELECT 1");
        },
      }),
    ],
    engine,
  }).upgrade();
  await rejects(
    Promise.resolve().then(() => late!()),
    { code: "migrate/recording-ended" },
  );
});

Deno.test("what was removed comes back complete from a reversed revision", async () => {
  await using engine = memoryEngine();
  const drop = revision({
    revision: "be0a1144da5b",
    downRevision: posts.revision,
    upgrade: (op) => op.dropTable("posts"),
    downgrade: "reverse",
  });
  const migrator = createMigrator({ revisions: [users, posts, drop], engine });
  await migrator.upgrade(posts.revision);
  const before = await schemaOf(engine);
  await migrator.upgrade();
  await migrator.downgrade("-1");
  deepEqual(await schemaOf(engine), before);
});

Deno.test("what cannot be reversed is refused when it is planned", async () => {
  await using engine = memoryEngine();
  const raw = (options: object) =>
    revision({
      revision: "cf1b2255eb6c",
      upgrade: (op) => op.execute("CREATE TABLE t (a INTEGER)", options),
      downgrade: "reverse",
    });
  const refused = createMigrator({ revisions: [raw({})], engine });
  await refused.upgrade();
  await rejects(refused.downgrade("-1"), { code: "migrate/irreversible" });
  deepEqual((await refused.current()).heads, ["cf1b2255eb6c"]);

  const undone = createMigrator({
    revisions: [raw({ undo: "DROP TABLE t" })],
    engine,
    allowEdited: true,
  });
  deepEqual((await undone.downgrade("-1")).heads, []);
});

Deno.test("migrate 180: what the platform would refuse for its size is refused when it is planned", async () => {
  const engine = d1.engine("trips");
  // deno-lint-ignore require-await -- a refusal is a rejection
  const plan = async (fill: Parameters<typeof revision>[0]["upgrade"]) =>
    createMigrator({
      revisions: [revision({ revision: "d02c3366fc7d", upgrade: fill! })],
      engine,
    }).planner.upgrade([], "head");
  const refusal = (what: string, actual: number) => ({
    name: "StatementLimitError",
    what,
    actual,
  });
  const column = integer().nullable();
  const wide = Object.fromEntries(
    Array.from({ length: 101 }, (_, at) => [`c${at}`, column]),
  );
  await rejects(
    plan((op) => void op.createTable("wide", wide)),
    refusal("columns", 101),
  );
  await rejects(
    plan((op) => op.execute(`SELECT '${"x".repeat(100_000)}'`)),
    refusal("bytes of SQL", 100_009),
  );
  await rejects(
    plan((op) => op.execute(Array(6).fill("SELECT 1").join(" UNION "))),
    refusal("terms of a compound SELECT", 6),
  );
  const many = table("wide", new MetaData(), wide);
  const row = Object.fromEntries(Object.keys(wide).map((key) => [key, 1]));
  // The Core writes around this limit.
  const [around] = await plan((op) => op.bulkInsert(many, [row]));
  deepEqual(
    around!.segments[0]!.statements.map(({ params }) => params.length),
    [1],
  );
  const narrow = await plan((op) => {
    const t = op.createTable("t", { a: integer(), b: integer() });
    op.bulkInsert(t, Array.from({ length: 120 }, (_, a) => ({ a, b: a })));
  });
  deepEqual(
    narrow[0]!.segments[0]!.statements.map(({ params }) => params.length),
    [0, 100, 100, 40],
  );
});
