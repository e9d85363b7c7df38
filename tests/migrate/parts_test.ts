/** Steps of several parts: what a transaction cannot hold, and walks over rows. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import {
  createMigrator,
  type MigrationEvent,
  type MigratorOptions,
  revision,
  StepFailedError,
} from "../../migrate/mod.ts";
import { createEngine, type Engine, sql, text } from "../../sql/mod.ts";
import { memoryEngine, rowsOf, startD1, startNeon } from "./databases.ts";
import { posts, users } from "./revisions.ts";

const neon = await startNeon();
const d1 = await startD1("rows");
Deno.test.afterAll(async () => {
  await neon[Symbol.asyncDispose]();
  await d1[Symbol.asyncDispose]();
});

const now = () => Promise.resolve();

/** An engine whose statements can be made to fail, as a broken line does. */
function breakable(engine: Engine, isBroken: (sql: string) => boolean): Engine {
  const { driver } = engine;
  const check = (sql: string) => {
    if (isBroken(sql)) throw new Error("the line is dead");
  };
  return createEngine({
    ...driver,
    execute: (statement) => {
      check(statement.sql);
      return driver.execute(statement);
    },
    batch: (statements, options) => {
      for (const { sql } of statements) check(sql);
      return driver.batch(statements, options);
    },
  }, { name: engine.name });
}

const concurrent = revision({
  revision: "5e4abbeed4f5",
  downRevision: users.revision,
  upgrade(op) {
    op.addColumn("users", "nick", text().nullable());
    op.createIndex("ix_users_mail", "users", ["mail"], { concurrently: true });
    op.execute("UPDATE users SET nick = 'set'");
  },
  downgrade: "reverse",
});

Deno.test("an index that is built concurrently splits its step on Postgres, and the step is whole afterwards", async () => {
  const engine = await neon.engine("concurrent");
  const migrator = createMigrator({ revisions: [users, concurrent], engine });
  const [, step] = migrator.planner.upgrade([], "head");
  deepEqual(step!.segments.map(({ isOutside }) => isOutside), [
    false,
    true,
    false,
  ]);
  match(
    step!.segments[1]!.statements[0]!.sql,
    /^CREATE INDEX CONCURRENTLY "ix_users_mail"/,
  );

  await migrator.upgrade();

  deepEqual(await rowsOf(engine, "SELECT DISTINCT nick FROM users"), [["set"]]);
  const history = await migrator.history();
  deepEqual(history.map(({ state, checkpoint }) => [state, checkpoint]), [
    ["applied", null],
    ["applied", null],
  ]);
});

for (
  const [what, pattern] of [
    ["before the index is built", /CONCURRENTLY "ix/],
    ["after the index is built, before that is noted", /checkpoint = '1'/],
    ["before the last part", /nick = 'set'/],
  ] as const
) {
  Deno.test(`a step that is interrupted ${what} is taken up where it stopped`, async () => {
    const engine = await neon.engine(`broken_${what.replaceAll(/\W/g, "")}`);
    await createMigrator({ revisions: [users], engine }).upgrade();
    // The runner that dies sends nothing more, not even that it lets go.
    let isDead = false;
    const dying = breakable(
      engine,
      (sql) =>
        isDead ||= pattern.test(sql) && !/^(SELECT|DO)/.test(sql) ||
          (what.startsWith("after") && /^DO/.test(sql) && pattern.test(sql)),
    );
    const options = { revisions: [users, concurrent], sleep: now, leaseMs: 1 };
    await rejects(
      createMigrator({ ...options, engine: dying }).upgrade(),
      StepFailedError,
    );
    const migrator = createMigrator({ ...options, engine });
    equal((await migrator.history()).at(-1)!.state, "running");
    deepEqual((await migrator.current()).heads, [users.revision]);

    const { heads } = await migrator.upgrade();

    deepEqual(heads, [concurrent.revision]);
    deepEqual(
      await rowsOf(
        engine,
        "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'ix_users_mail'::regclass",
      ),
      [["true"]],
    );
    deepEqual(await rowsOf(engine, "SELECT DISTINCT nick FROM users"), [[
      "set",
    ]]);
  });
}

Deno.test("a step that another runner holds is waited for, and named when the wait is over", async () => {
  const engine = await neon.engine("held");
  await createMigrator({ revisions: [users], engine }).upgrade();
  let isDead = false;
  const dying = breakable(
    engine,
    (sql) => isDead ||= /CONCURRENTLY/.test(sql),
  );
  const options = { revisions: [users, concurrent], sleep: now };
  await rejects(createMigrator({ ...options, engine: dying }).upgrade());

  await rejects(
    createMigrator({ ...options, engine, waitMs: 100 }).upgrade(),
    {
      name: "StepRunningError",
      revision: concurrent.revision,
    },
  );
});

Deno.test("a new value of an enum is used at once, behind an autocommit block", async () => {
  const engine = await neon.engine("enumeration");
  await engine.execute(sql`CREATE TYPE mood AS ENUM ('sad')`);
  const happy = revision({
    revision: "6f5bccffe506",
    upgrade(op) {
      op.execute("CREATE TABLE people (mood mood)");
      op.autocommitBlock((op) =>
        op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'happy'")
      );
      op.execute("INSERT INTO people VALUES ('happy')");
    },
  });
  await createMigrator({ revisions: [happy], engine }).upgrade();
  deepEqual(await rowsOf(engine, "SELECT mood::text FROM people"), [["happy"]]);
});

Deno.test("a step of several parts needs the history table, and says so before anything is done", async () => {
  const engine = await neon.engine("without");
  const migrator = createMigrator({
    revisions: [users, concurrent],
    engine,
    historyTable: false,
  });
  await migrator.upgrade(users.revision);
  await rejects(migrator.upgrade(), { code: "migrate/history-needed" });
});

const ROWS = 2500;

const counted = revision({
  revision: "7a6cdd00f617",
  upgrade(op) {
    op.execute("CREATE TABLE numbers (id INTEGER PRIMARY KEY, n INTEGER)");
    op.execute(
      `INSERT INTO numbers (id, n) WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < ${ROWS}) SELECT x * 3, 0 FROM i`,
    );
  },
  data: {
    table: "numbers",
    key: "id",
    size: 700,
    chunk: ({ where }) => sql`UPDATE numbers SET n = n + 1 WHERE ${where}`,
  },
});

async function walksRows(engine: Engine) {
  const events: number[] = [];
  const onProgress = (event: MigrationEvent) => {
    if (event.type === "chunk") events.push(event.chunks);
  };
  const settings: MigratorOptions = {
    revisions: [counted],
    engine,
    onProgress,
    sleep: now,
    leaseMs: 1,
  };
  // Dies in the third chunk.
  let chunks = 0;
  const dying = breakable(
    engine,
    (sql) => chunks >= 3 || /^UPDATE numbers/.test(sql) && ++chunks >= 3,
  );
  await rejects(createMigrator({ ...settings, engine: dying }).upgrade());
  const migrator = createMigrator(settings);
  const [running] = await migrator.history();
  equal(running!.state, "running");
  equal(running!.checkpoint, `1:${1400 * 3}`);

  await migrator.upgrade();

  deepEqual(
    await rowsOf(engine, "SELECT n, count(*) FROM numbers GROUP BY n"),
    [[1, ROWS]],
    "every row exactly once",
  );
  deepEqual(events, [1, 2, 1, 2]);
  deepEqual((await migrator.current()).heads, [counted.revision]);
  deepEqual((await migrator.upgrade()).steps, []);
}

Deno.test("a walk over rows that is interrupted goes on behind the last chunk, each row once, on SQLite", async () => {
  await using engine = memoryEngine();
  await walksRows(engine);
});

Deno.test("a walk over rows that is interrupted goes on behind the last chunk, each row once, on D1", async () => {
  await walksRows(d1.engine("rows"));
});

Deno.test("a runner that was thought dead and comes back does no chunk twice", async () => {
  await using engine = memoryEngine();
  const { driver } = engine;
  let chunks = 0;
  const second = Promise.withResolvers<void>();
  const finished = Promise.withResolvers<void>();
  const slow = createEngine({
    ...driver,
    batch: async (statements, options) => {
      const isChunk = statements.some(({ sql }) => /^UPDATE numbers/.test(sql));
      if (isChunk && ++chunks === 2) {
        second.resolve();
        await finished.promise;
      }
      return await driver.batch(statements, options);
    },
  });
  const settings = { revisions: [counted], sleep: now };
  const late = createMigrator({
    ...settings,
    engine: slow,
    leaseMs: 1,
    appliedBy: "late",
  }).upgrade();
  await second.promise;
  const other = createMigrator({ ...settings, engine, appliedBy: "other" });
  await other.upgrade();
  finished.resolve();

  deepEqual((await late).heads, [counted.revision]);

  deepEqual(
    await rowsOf(engine, "SELECT n, count(*) FROM numbers GROUP BY n"),
    [[1, ROWS]],
  );
});

Deno.test("a walk with a size that is no count is refused", async () => {
  await using engine = memoryEngine();
  await rejects(
    createMigrator({
      revisions: [
        users,
        revision({
          ...posts,
          data: { ...counted.data!, size: 0 },
        }),
      ],
      engine,
    }).upgrade(),
    (error: Error) => /size is 0/.test(error.message),
  );
  ok(true);
});
