/** The names that a convention gives, and those that it leaves. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  compareTables,
  createMigrator,
  type Operation,
  Operations,
  renderOperations,
  revision,
  upgradeScript,
} from "../../migrate/mod.ts";
import {
  check,
  finalName,
  integer,
  MetaData,
  type NamingConvention,
  postgres,
  table,
  text,
  unique,
} from "../../sql/mod.ts";
import { after, tableText } from "./after.ts";
import { rowsOf, startNeon } from "./databases.ts";
import { ENGINES, type Record } from "./planned.ts";

const neon = await startNeon();
Deno.test.afterAll(async () => {
  await neon[Symbol.asyncDispose]();
});

const naming: NamingConvention = {
  unique: "uq_{table}_{columns}",
  foreignKey: "fk_{table}_{columns}_{referred}",
  primaryKey: "pk_{table}",
  check: "ck_{table}_{name}",
  index: "ix__{columns}",
};

const make: Record = (op) => {
  op.createTable("u", { id: integer().primaryKey() });
  op.createTable("t", {
    id: integer().primaryKey(),
    a: integer().unique().index(),
    u: integer().references("u.id"),
  }, [
    check(text("a > 0"), "positive"),
    check(text("a < 9"), finalName("ck_t_small")),
    unique(["u"], "mine"),
  ]);
};

const NAMES = [
  "ck_t_positive",
  "ck_t_small",
  "fk_t_u_u",
  "mine",
  "uq_t_a",
];

Deno.test("migrate 128: a convention names what has no name and decorates the names of checks, once, on SQLite and Postgres", async () => {
  const engine = await neon.engine("naming");
  await using p = await after(make, naming, engine);
  const names = async () => {
    const rows = await rowsOf(
      engine,
      "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype NOT IN ('n', 'p') ORDER BY conname COLLATE \"C\"",
    );
    return rows.flat();
  };
  deepEqual(await names(), NAMES);
  await using s = await after(make, naming);
  const made = await tableText(s.engine, "t");
  for (const name of NAMES) ok(made.includes(`CONSTRAINT "${name}"`), name);

  const more: Record = (op) =>
    op.alterTable("t", (t) => {
      t.addColumn("b", integer().nullable().index());
      t.addConstraint(unique(["a", "u"]));
      t.createCheckConstraint("odd", text("a % 2 = 1"));
      t.createCheckConstraint(op.f("ck_t_whole"), text("a = a"));
      t.createUniqueConstraint(op.f("whole"), ["id", "a"]);
    });
  const added = ["ck_t_odd", "ck_t_whole", "uq_t_a_u", "whole"];
  await p.run(more);
  await s.run(more);
  deepEqual(await names(), [...NAMES, ...added].sort());
  const full = await tableText(s.engine, "t");
  for (const name of added) ok(full.includes(`CONSTRAINT "${name}"`), name);
  deepEqual(
    await s.rows("SELECT name FROM sqlite_master WHERE name LIKE 'ix%'"),
    [["ix__a"], ["ix__b"]],
  );
  await p.undo();
  deepEqual(await names(), NAMES);
  await s.undo();
  equal((await tableText(s.engine, "t")).includes('"ck_t_odd"'), false);

  // A check goes by the name it was given and by the one it has.
  for (const name of ["positive", "ck_t_positive"]) {
    const drop: Record = (op) => op.dropConstraint(name, "t");
    await p.run(drop);
    deepEqual(await names(), NAMES.filter((one) => one !== "ck_t_positive"));
    await p.undo();
    await s.run(drop);
    ok(!(await tableText(s.engine, "t")).includes("a > 0"));
    await s.undo();
    deepEqual(await names(), NAMES);
    match(await tableText(s.engine, "t"), /"ck_t_positive" CHECK/);
  }
});

Deno.test("migrate 128: a convention holds for tables that no revision describes, and f() keeps it off", async () => {
  const statements = async (record: Record) => {
    const script = await upgradeScript(
      createMigrator({
        revisions: [revision({ revision: "aaaa1111", upgrade: record })],
        engine: ENGINES.postgres!,
        naming,
      }),
      "head",
    );
    return script.split("\n").filter((line) =>
      line.startsWith('ALTER TABLE "t"')
    );
  };
  deepEqual(
    await statements((op) => {
      op.alterTable("t", (t) => t.addConstraint(unique(["a"])));
      op.createCheckConstraint("odd", "t", text("a > 0"));
      op.createCheckConstraint(op.f("ck_t_odd"), "t", text("a > 0"));
      op.dropConstraint("odd", "t", { type: "check" });
      op.dropConstraint(op.f("ck_t_odd"), "t", { type: "check" });
      op.dropConstraint("odd", "t");
      op.validateConstraint("odd", "t", { type: "check" });
    }),
    [
      'ALTER TABLE "t" ADD CONSTRAINT "uq_t_a" UNIQUE ("a");',
      'ALTER TABLE "t" ADD CONSTRAINT "ck_t_odd" CHECK (a > 0);',
      'ALTER TABLE "t" ADD CONSTRAINT "ck_t_odd" CHECK (a > 0);',
      'ALTER TABLE "t" DROP CONSTRAINT "ck_t_odd";',
      'ALTER TABLE "t" DROP CONSTRAINT "ck_t_odd";',
      'ALTER TABLE "t" DROP CONSTRAINT "odd";',
      'ALTER TABLE "t" VALIDATE CONSTRAINT "ck_t_odd";',
    ],
  );
});

Deno.test("migrate 128: a name that no convention would make is written as final, and read back as it is", async () => {
  const model = new MetaData();
  table("t", model, { a: integer() }, [check(text("a > 0"), "own")]);
  const { operations } = await compareTables(
    [...model.tables.values()],
    [],
    postgres,
    { naming },
  );
  const { body, imports } = renderOperations(operations, { dialect: postgres });
  match(body, /check\(text\("a > 0"\), finalName\("own"\)\)/);
  match(imports.toString(), /finalName/);
  const op = new Operations({ naming });
  op.createTable("t", { a: integer() }, [check(text("a > 0"), op.f("own"))]);
  const [made] = op.take() as [Operation];
  const kept = made.kind === "createTable" ? made.table.constraints[0] : null;
  deepEqual(kept?.name, "own");
  deepEqual(
    (await compareTables(
      made.kind === "createTable" ? [made.table] : [],
      [...model.tables.values()],
      postgres,
    )).operations,
    [],
  );
});
