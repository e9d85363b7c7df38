import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import {
  createMigrator,
  downgradeScript,
  ensureVersionScript,
  MigrateError,
  type MigratorOptions,
  revision,
  stampScript,
  upgradeScript,
} from "../../migrate/mod.ts";
import { sql } from "../../sql/mod.ts";
import { memoryEngine, rowsOf, schemaOf, startD1 } from "./databases.ts";
import { merged, posts, SET, tags, users } from "./revisions.ts";

/** The statements of a script, comments and blank lines left out. */
function lines(script: string): string[] {
  return script.split("\n\n").map((block) =>
    block.trim().replaceAll(/\s+/g, " ")
  );
}

function migratorOf(options: Partial<MigratorOptions> = {}) {
  return createMigrator({
    revisions: SET,
    engine: memoryEngine(),
    historyTable: false,
    ...options,
  });
}

Deno.test("migrate 105: a script from nothing makes the version table first, a range only moves its row, and the way down never drops it", async () => {
  const migrator = migratorOf();

  const whole = lines(await upgradeScript(migrator, users.revision));
  match(whole[0]!, /^CREATE TABLE IF NOT EXISTS "aludel_version"/);
  deepEqual(whole.slice(1, 3), [
    "BEGIN IMMEDIATE;",
    `-- Running upgrade -> ${users.revision}`,
  ]);
  deepEqual(whole.slice(-2), [
    `INSERT INTO "aludel_version" (version_num) VALUES ('${users.revision}');`,
    "COMMIT;",
  ]);

  const middle = lines(
    await upgradeScript(migrator, `1e0c:${posts.revision}`),
  );
  ok(
    !middle.some((line) => /aludel_version/.test(line) && /CREATE/.test(line)),
  );
  deepEqual(middle.filter((line) => line.includes("aludel_version")), [
    `UPDATE "aludel_version" SET version_num = '${posts.revision}' WHERE version_num = '${users.revision}';`,
  ]);

  const down = await downgradeScript(migrator, `${posts.revision}:base`);
  ok(!/DROP TABLE "aludel_version"/.test(down));
  match(
    down,
    /DELETE FROM "aludel_version" WHERE version_num = '1e0c77aa90b1'/,
  );
});

Deno.test("migrate 78, 106: a range online is refused, and a downgrade script needs one", async () => {
  const migrator = migratorOf();
  for (
    const run of [
      () => migrator.upgrade("1e0c:head"),
      () => migrator.downgrade("head:1e0c"),
    ]
  ) {
    await rejects(run, { code: "migrate/range-online" });
  }
  await rejects(downgradeScript(migrator, "base"), {
    code: "migrate/range-needed",
  });
});

Deno.test("migrate 107: a stamp script goes from one start to several, not from several", async () => {
  const migrator = migratorOf();
  const script = await stampScript(migrator, [
    `${users.revision}:${posts.revision}`,
    `${users.revision}:${tags.revision}`,
  ], { transactions: "none" });
  deepEqual(lines(script), [
    `-- Running stamp ${users.revision} -> ${posts.revision}`,
    `UPDATE "aludel_version" SET version_num = '${posts.revision}' WHERE version_num = '${users.revision}';`,
    `-- Running stamp ${users.revision} -> ${tags.revision}`,
    `INSERT INTO "aludel_version" (version_num) VALUES ('${tags.revision}');`,
  ]);
  await rejects(
    stampScript(migrator, [`${users.revision}:${posts.revision}`, "base:3c2e"]),
    MigrateError,
  );
});

Deno.test("migrate 108, 110: one pair of BEGIN and COMMIT around all, one around each, or none", async () => {
  const migrator = migratorOf();
  const count = async (transactions: "script" | "migration" | "none") => {
    const script = lines(
      await upgradeScript(migrator, "heads", { transactions }),
    );
    return [
      script.filter((line) => line === "BEGIN IMMEDIATE;").length,
      script.filter((line) => line === "COMMIT;").length,
      script.indexOf("BEGIN IMMEDIATE;"),
    ];
  };
  deepEqual(await count("script"), [1, 1, 0]);
  deepEqual(await count("migration"), [4, 4, 1]);
  deepEqual(await count("none"), [0, 0, -1]);
});

Deno.test("migrate 109: the comment of a step has ids and no message", async () => {
  const script = await upgradeScript(migratorOf(), "heads");
  match(
    script,
    /-- Running upgrade 2b1d88bba1c2, 3c2e99ccb2d3 -> 4d3faaddc3e4\n/,
  );
  ok(!script.includes("merge posts"));
});

Deno.test("migrate 100: making the version table twice is once, and a script shows it", async () => {
  const migrator = migratorOf({ historyTable: "aludel_history" });
  await migrator.ensureVersion();
  await migrator.ensureVersion();
  equal((await schemaOf(migrator.engine)).length, 2);
  match(
    ensureVersionScript(migrator),
    /^CREATE TABLE IF NOT EXISTS "aludel_version"/,
  );
});

Deno.test("migrate 113: an autocommit block ends the transaction before it and opens another, in a script too", async () => {
  const block = revision({
    revision: "e13d447700ad",
    upgrade(op) {
      op.execute("SELECT 'before'");
      op.autocommitBlock((op) => op.execute("SELECT 'outside'"));
      op.execute("SELECT 'after'");
    },
  });
  const script = lines(
    await upgradeScript(migratorOf({ revisions: [block] }), "head"),
  );
  deepEqual(script.slice(1), [
    "BEGIN IMMEDIATE;",
    "-- Running upgrade -> e13d447700ad",
    "SELECT 'before';",
    "COMMIT;",
    "SELECT 'outside';",
    "BEGIN IMMEDIATE;",
    "SELECT 'after';",
    `INSERT INTO "aludel_version" (version_num) VALUES ('e13d447700ad');`,
    "COMMIT;",
  ]);
});

Deno.test("a script run by the database's own program leaves what an upgrade leaves", async () => {
  const migrator = migratorOf({ historyTable: "aludel_history" });
  const script = await upgradeScript(migrator, "heads");
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(":memory:");
  db.exec(script);
  const read = (sql: string) =>
    db.prepare(sql).all().map((row) => Object.values(row as object));
  const ours = memoryEngine();
  await createMigrator({ revisions: SET, engine: ours }).upgrade("heads");

  for (
    const look of [
      "SELECT sql FROM sqlite_master ORDER BY name",
      "SELECT * FROM users ORDER BY id",
      "SELECT version_num FROM aludel_version",
      "SELECT seq, version, direction, state, checksum, statements FROM aludel_history",
    ]
  ) {
    deepEqual(read(look), (await rowsOf(ours, look)).map((row) => [...row]));
  }
  db.close();
});

Deno.test("values stand in a script as literals, percent signs and quotes kept", async () => {
  const script = await upgradeScript(
    migratorOf({
      revisions: [
        revision({
          revision: "f24e558811be",
          upgrade: (op) =>
            op.execute(sql`UPDATE users SET mail = ${"50% 'off'"}`),
        }),
      ],
    }),
    "head",
  );
  match(script, /UPDATE users SET mail = '50% ''off''';/);
});

Deno.test("a script for D1 holds no words that D1 refuses", async () => {
  await using d1 = await startD1("script");
  const migrator = createMigrator({
    revisions: SET,
    engine: d1.engine("script"),
  });
  const script = await upgradeScript(migrator, "heads");
  ok(!/\b(BEGIN|COMMIT)\b/.test(script));
  const binding = d1.workerd.d1("script");
  await binding.batch(
    script.split("\n\n").filter((block) => !block.startsWith("--")).map((
      block,
    ) => binding.prepare(block)),
  );
  deepEqual((await migrator.upgrade("heads")).steps, []);
  deepEqual((await migrator.current()).heads, [merged.revision]);
});
