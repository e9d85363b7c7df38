import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { createMigrator, revision } from "../../migrate/mod.ts";
import {
  check,
  type Engine,
  foreignKey,
  integer,
  Raw,
  type ReferentialAction,
  sql,
  text,
} from "../../sql/mod.ts";
import { memoryEngine, rowsOf, schemaOf, startD1 } from "./databases.ts";
import { posts, users } from "./revisions.ts";

const ACTIONS: readonly ReferentialAction[] = [
  "cascade",
  "set null",
  "restrict",
  "no action",
];
const CELLS = ACTIONS.flatMap((onDelete) =>
  ACTIONS.map((onUpdate) => ({ onDelete, onUpdate }))
);
const nameOf = ({ onDelete, onUpdate }: typeof CELLS[number]) =>
  `cell_${onDelete}_${onUpdate}`.replaceAll(" ", "_");

const d1 = await startD1("design", "dropped", ...CELLS.map(nameOf));
Deno.test.afterAll(async () => {
  await d1[Symbol.asyncDispose]();
});

const email = revision({
  revision: "9f3c1a2b7d40",
  downRevision: users.revision,
  upgrade(op) {
    op.alterTable("users", (t) => {
      t.renameColumn("mail", "email");
      t.alterColumn("email", { nullable: false });
    });
    op.createIndex("ix_users_email", "users", ["email"], { unique: true });
  },
  downgrade: "reverse",
});

async function renamesAndNarrows(engine: Engine) {
  const migrator = createMigrator({ revisions: [users, email], engine });
  await migrator.upgrade(users.revision);
  const before = await schemaOf(engine);
  await migrator.upgrade();
  deepEqual(await rowsOf(engine, "SELECT id, email FROM users ORDER BY id"), [
    [1, "ed@example.com"],
    [2, "al@example.com"],
  ]);
  await rejects(
    engine.execute(sql`INSERT INTO users (id, email) VALUES (3, NULL)`),
    { name: "NotNullViolationError" },
  );
  await migrator.downgrade("-1");
  await engine.execute(sql`INSERT INTO users (id, mail) VALUES (3, NULL)`);
  const after = await schemaOf(engine);
  equal(after.length, before.length);
  deepEqual(after, before);
}

Deno.test("a column is renamed and narrowed on SQLite, and back", async () => {
  await using engine = memoryEngine();
  await renamesAndNarrows(engine);
});

Deno.test("a column is renamed and narrowed on D1, and back", async () => {
  await renamesAndNarrows(d1.engine("design"));
});

/** Parents, children that name them as the cell says, grandchildren, a tree. */
async function family(
  engine: Engine,
  { onDelete, onUpdate }: typeof CELLS[number],
) {
  const made = revision({
    revision: "a1b2c3d4e5f6",
    upgrade(op) {
      const parents = op.createTable("parents", {
        id: integer().primaryKey(),
        name: text().nullable(),
        up: integer().nullable(),
      }, [foreignKey(["up"], ["parents.id"], { onDelete: "cascade" })]);
      const children = op.createTable("children", {
        id: integer().primaryKey(),
        parent: integer().nullable(),
      }, [foreignKey(["parent"], ["parents.id"], { onDelete, onUpdate })]);
      const grand = op.createTable("grand", {
        id: integer().primaryKey(),
        child: integer(),
      }, [foreignKey(["child"], ["children.id"], { onDelete: "cascade" })]);
      op.bulkInsert(parents, [
        { id: 1, name: "a", up: null },
        { id: 2, name: "b", up: 1 },
        { id: 3, name: "c", up: 2 },
      ]);
      op.bulkInsert(children, [
        { id: 10, parent: 1 },
        { id: 11, parent: 1 },
        { id: 12, parent: 3 },
        { id: 13, parent: null },
      ]);
      op.bulkInsert(grand, [
        { id: 20, child: 10 },
        { id: 21, child: 12 },
        { id: 22, child: 13 },
      ]);
      op.createIndex("ix_parents_name", "parents", ["name"]);
    },
  });
  const narrowed = revision({
    revision: "b2c3d4e5f6a1",
    downRevision: made.revision,
    upgrade(op) {
      op.alterTable("parents", (t) => {
        t.alterColumn("name", { nullable: false });
        t.addConstraint(
          check(new Raw("length(name) < 100"), "ck_parents_name"),
        );
      });
    },
    downgrade: "reverse",
  });
  const migrator = createMigrator({ revisions: [made, narrowed], engine });
  await migrator.upgrade(made.revision);
  const read = async () => [
    await rowsOf(engine, "SELECT id, name, up FROM parents ORDER BY id"),
    await rowsOf(engine, "SELECT id, parent FROM children ORDER BY id"),
    await rowsOf(engine, "SELECT id, child FROM grand ORDER BY id"),
  ];
  const rows = await read();
  const schema = await schemaOf(engine);

  await migrator.upgrade();

  deepEqual(await read(), rows);
  deepEqual(await rowsOf(engine, "PRAGMA foreign_key_check"), []);
  ok((await schemaOf(engine)).some((text) => text.includes("ck_parents_name")));
  await migrator.downgrade("-1");
  deepEqual(await read(), rows);
  deepEqual(await schemaOf(engine), schema);
  // The keys are enforced afterwards as before.
  await rejects(
    engine.execute(sql`INSERT INTO children (id, parent) VALUES (99, 98)`),
    { name: "ForeignKeyViolationError" },
  );
}

for (const cell of CELLS) {
  Deno.test(`migrate 147: a rebuild keeps every child row, ON DELETE ${cell.onDelete} ON UPDATE ${cell.onUpdate}`, async () => {
    await using memory = memoryEngine();
    await family(memory, cell);
    await family(d1.engine(nameOf(cell)), cell);
  });
}

Deno.test("a table that is not as the revisions say is not rebuilt, and what was found is named", async () => {
  for (
    const [extra, found] of [
      ["ALTER TABLE users ADD COLUMN extra TEXT", /users has columns extra,/],
      ["CREATE INDEX mine ON users (mail)", /indexes and triggers mine/],
      [
        "CREATE TABLE pets (owner INTEGER REFERENCES users (id) ON DELETE CASCADE)",
        /references from pets\.owner/,
      ],
      [
        "CREATE TRIGGER watch AFTER UPDATE ON users BEGIN SELECT 1; END",
        /indexes and triggers watch/,
      ],
    ] as const
  ) {
    await using engine = memoryEngine();
    const migrator = createMigrator({
      revisions: [
        users,
        revision({
          revision: "9f3c1a2b7d40",
          downRevision: users.revision,
          upgrade: (op) => op.alterColumn("users", "mail", { nullable: false }),
        }),
      ],
      engine,
    });
    await migrator.upgrade(users.revision);
    await rowsOf(engine, extra);
    const before = await schemaOf(engine);
    await rejects(
      migrator.upgrade(),
      (error: Error) =>
        error.name === "SchemaDriftError" && found.test(error.message),
    );
    deepEqual(await schemaOf(engine), before);
  }
});

Deno.test("a table that others refer to is not dropped with their rows, on SQLite and D1", async () => {
  const engines = [memoryEngine(), d1.engine("dropped")];
  for (const engine of engines) {
    const drop = revision({
      revision: "9f3c1a2b7d40",
      downRevision: posts.revision,
      upgrade: (op) => op.dropTable("users"),
    });
    const migrator = createMigrator({
      revisions: [users, posts, drop],
      engine,
    });
    await migrator.upgrade(posts.revision);
    await engine.execute(
      sql`INSERT INTO posts (id, user_id, body) VALUES (1, 1, 'kept')`,
    );
    await rejects(migrator.upgrade(), {
      name: "ReferredTableError",
      table: "users",
      references: ["posts.user_id"],
    });
    deepEqual(await rowsOf(engine, "SELECT body FROM posts"), [["kept"]]);
  }
  await engines[0]!.close();
});

Deno.test("text keys and numbered keys are moved and brought back; the highest number is kept", async () => {
  await using engine = memoryEngine();
  const made = revision({
    revision: "a1b2c3d4e5f6",
    upgrade(op) {
      const codes = op.createTable("codes", {
        code: text().primaryKey(),
        note: text().nullable(),
      });
      const uses = op.createTable("uses", {
        id: integer().primaryKey({ autoincrement: true }),
        code: text().references("codes.code", { onUpdate: "cascade" }),
      });
      op.bulkInsert(codes, [{ code: "x" }, { code: "y" }]);
      op.bulkInsert(uses, [{ id: 5, code: "x" }, { id: 9, code: "y" }]);
      op.execute("DELETE FROM uses WHERE id = 9");
    },
  });
  const changed = revision({
    revision: "b2c3d4e5f6a1",
    downRevision: made.revision,
    upgrade(op) {
      op.alterColumn("codes", "note", { serverDefault: "none" });
      op.alterColumn("uses", "code", { nullable: true });
    },
  });
  await createMigrator({ revisions: [made, changed], engine }).upgrade();
  await rowsOf(engine, "INSERT INTO uses (code) VALUES ('y')");
  await rowsOf(engine, "INSERT INTO codes (code) VALUES ('z')");
  deepEqual(await rowsOf(engine, "SELECT id, code FROM uses ORDER BY id"), [
    [5, "x"],
    [10, "y"],
  ]);
  deepEqual(await rowsOf(engine, "SELECT note FROM codes WHERE code = 'z'"), [
    ["none"],
  ]);
});

Deno.test("what cannot be changed in place is refused where no rebuild is allowed or the table is not known", () => {
  const engine = memoryEngine();
  const plan = (options: object, known: boolean) => () =>
    createMigrator({
      revisions: [
        revision({
          revision: "a1b2c3d4e5f6",
          upgrade(op) {
            if (known) op.createTable("t", { a: integer().nullable() });
            op.alterColumn("t", "a", { nullable: false }, options);
          },
        }),
      ],
      engine,
    }).planner.upgrade([], "head");
  const refused = (run: () => unknown, text: RegExp) => {
    try {
      run();
    } catch (error) {
      ok(error instanceof Error && error.name === "UnsupportedChangeError");
      ok(text.test(error.message), error.message);
      return;
    }
    throw new Error("it was planned");
  };
  refused(plan({ recreate: "never" }, true), /allow a rebuild/);
  refused(plan({}, false), /no revision gives/);
  equal(plan({}, true)().length, 1);
});
