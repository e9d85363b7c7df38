import { deepEqual, equal, rejects } from "node:assert/strict";
import {
  allOrNone,
  createMigrator,
  lint,
  type RecordOperations,
  revision,
  withinTransaction,
} from "../../migrate/mod.ts";
import { begin, sql, text } from "../../sql/mod.ts";
import { memoryEngine, rowsOf, startD1 } from "./databases.ts";
import { posts, SET, tags, users } from "./revisions.ts";

function findings(
  upgrade: RecordOperations,
  allow: readonly string[] = [],
) {
  const migrator = createMigrator({
    revisions: [
      users,
      revision({
        revision: "5e4abbeed4f5",
        downRevision: users.revision,
        upgrade,
        downgrade: () => {},
        allow,
      }),
    ],
    engine: memoryEngine(),
  });
  return lint(migrator).map(({ code, revision, operation }) => [
    code,
    revision,
    operation,
  ]);
}

Deno.test("migrate 181: what destroys is found with its code and place, unless the revision allows it", () => {
  const drop: RecordOperations = (op) => {
    op.execute("SELECT 1");
    op.dropTable("users");
  };
  deepEqual(findings(drop), [["drop-table", "5e4abbeed4f5", 2]]);
  deepEqual(findings(drop, ["drop-table"]), []);
  deepEqual(findings((op) => op.dropColumn("users", "mail")), [
    ["drop-column", "5e4abbeed4f5", 1],
  ]);
});

Deno.test("what may fail on rows, hide a rename or weaken a guard is found", () => {
  const codes = (upgrade: RecordOperations) =>
    findings(upgrade).map(([code]) => code);
  deepEqual(codes((op) => op.addColumn("users", "a", text())), ["not-null"]);
  deepEqual(
    codes((op) => op.alterColumn("users", "mail", { nullable: false })),
    ["not-null"],
  );
  deepEqual(
    codes((op) => op.alterColumn("users", "mail", { type: text(9) })),
    ["type-change"],
  );
  deepEqual(
    codes((op) => op.createIndex("u", "users", ["mail"], { unique: true })),
    ["unique-on-rows"],
  );
  deepEqual(
    codes((op) =>
      op.alterTable("users", (t) => {
        t.addColumn("email", text().nullable());
        t.dropColumn("mail");
      })
    ),
    ["drop-column", "suspected-rename"],
  );
  deepEqual(codes((op) => op.execute("PRAGMA foreign_keys = OFF")), ["pragma"]);
});

Deno.test("heads beside each other, and what nothing undoes, are found", () => {
  const engine = memoryEngine();
  const heads = lint(
    createMigrator({ revisions: [users, posts, tags], engine }),
  );
  deepEqual(heads.map(({ code }) => code), ["multiple-heads"]);
  const stuck = lint(createMigrator({
    revisions: [
      revision({ revision: "a1", upgrade: (op) => op.execute("SELECT 1") }),
    ],
    engine,
  }));
  deepEqual(stuck.map(({ code }) => code), ["irreversible"]);
});

Deno.test("migrate 77: one current revision is asked for, and several are an error that lists them", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({ revisions: SET, engine });
  equal(await migrator.currentRevision(), null);
  await migrator.upgrade(posts.revision);
  equal(await migrator.currentRevision(), posts.revision);
  await migrator.upgrade(tags.revision);
  await rejects(migrator.currentRevision(), {
    name: "MultipleHeadsError",
    heads: [posts.revision, tags.revision],
  });
  deepEqual((await migrator.current()).heads, [posts.revision, tags.revision]);
});

Deno.test("migrate 111: inside someone's transaction nothing is opened and nothing is committed", async () => {
  await using engine = memoryEngine();
  const transaction = await begin(engine);
  const inside = createMigrator({
    revisions: SET,
    engine: withinTransaction(engine, transaction),
  });
  deepEqual((await inside.upgrade("heads")).steps.length, 4);
  deepEqual((await inside.current()).heads.length, 1);
  await transaction.rollback();
  await rejects(rowsOf(engine, "SELECT 1 FROM users"));
  equal(
    (await createMigrator({ revisions: SET, engine }).current())
      .hasVersionTable,
    false,
  );
});

Deno.test("migrate 115: a failure on the second database undoes the first", async () => {
  await using one = memoryEngine("one");
  await using two = memoryEngine("two");
  await two.execute(sql`CREATE TABLE posts (id INTEGER)`);
  const upgrade = (engine: typeof one) =>
    createMigrator({ revisions: SET, engine }).upgrade("heads");

  await rejects(allOrNone([one, two], upgrade), { name: "StepFailedError" });

  await rejects(rowsOf(one, "SELECT 1 FROM users"));
  await rejects(rowsOf(two, "SELECT 1 FROM users"));
  await two.execute(sql`DROP TABLE posts`);
  await allOrNone([one, two], upgrade);
  deepEqual(await rowsOf(one, "SELECT count(*) FROM users"), [[2]]);
  await using d1 = await startD1("batch");
  await rejects(allOrNone([one, d1.engine("batch")], upgrade), {
    code: "migrate/not-one-transaction",
  });
});
