/** Where columns stand, and what alterTable() does not take. */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { createMigrator, OperationError, revision } from "../../migrate/mod.ts";
import { TableChanges } from "../../migrate/operations/table_changes.ts";
import { type Engine, index, integer, text } from "../../sql/mod.ts";
import { after, isRebuilt } from "./after.ts";
import { rowsOf, startD1 } from "./databases.ts";
import { planned, type Record, recorded } from "./planned.ts";

const databases = await startD1("order");
Deno.test.afterAll(async () => {
  await databases[Symbol.asyncDispose]();
});

const make: Record = (op) => {
  const t = op.createTable("t", {
    id: integer().primaryKey(),
    a: text(),
    b: text(),
  }, [index("ix", ["b"])]);
  op.bulkInsert(t, [{ id: 1, a: "x", b: "y" }]);
};

async function columns(engine: Engine): Promise<unknown[]> {
  const rows = await rowsOf(
    engine,
    "SELECT name FROM pragma_table_info('t') ORDER BY cid",
  );
  return rows.flat();
}

async function placesColumns(engine?: Engine): Promise<void> {
  await using t = await after(make, undefined, engine);
  const steps: [Record, string[]][] = [
    // Behind the last one is where ALTER puts it.
    [
      (op) => op.addColumn("t", "c", text().nullable(), { insertAfter: "b" }),
      ["id", "a", "b", "c"],
    ],
    [
      (op) => op.addColumn("t", "c", text().nullable(), { insertBefore: "id" }),
      ["c", "id", "a", "b"],
    ],
    [
      (op) => op.addColumn("t", "c", text().nullable(), { insertAfter: "id" }),
      ["id", "c", "a", "b"],
    ],
    [
      (op) =>
        op.addColumn("t", "c", text().nullable(), {
          insertAfter: "a",
          insertBefore: "b",
        }),
      ["id", "a", "c", "b"],
    ],
    [
      (op) =>
        op.alterTable("t", (t) => {
          t.addColumn("c", text().nullable(), { insertAfter: "id" });
          t.addColumn("d", text().nullable(), { insertAfter: "c" });
          t.renameColumn("a", "z");
          t.addColumn("e", text().nullable(), { insertBefore: "z" });
        }),
      ["id", "c", "d", "e", "z", "b"],
    ],
    [
      (op) =>
        op.alterTable("t", () => {}, { partialReordering: [["b", "id"]] }),
      ["a", "b", "id"],
    ],
    [
      (op) =>
        op.alterTable("t", (t) => {
          t.addColumn("c", text().nullable());
          t.renameColumn("b", "z");
        }, { partialReordering: [["c", "id"], ["z", "a"]] }),
      ["z", "a", "c", "id"],
    ],
  ];
  for (const [record, expected] of steps) {
    await t.run(record);
    deepEqual(await columns(t.engine), expected);
    equal((await t.rows("SELECT * FROM t WHERE id = 1")).length, 1);
    equal(
      (await t.rows("SELECT 1 FROM sqlite_master WHERE name = 'ix'")).length,
      1,
    );
    await t.undo();
    deepEqual(await columns(t.engine), ["id", "a", "b"]);
    deepEqual(await t.rows("SELECT id, a, b FROM t"), [[1, "x", "y"]]);
  }
}

Deno.test("migrate 140: columns are placed before and after others, one behind the other, and reordered in part, on SQLite", () =>
  placesColumns());

Deno.test("migrate 140: columns are placed before and after others, one behind the other, and reordered in part, on D1", () =>
  placesColumns(databases.engine("order")));

Deno.test("migrate 140: a place that needs a rebuild is refused where there is none, and one that is nowhere is named", async () => {
  await using t = await after(make);
  const after_: Record = (op) =>
    op.addColumn("t", "c", text().nullable(), { insertAfter: "b" });
  equal(isRebuilt(t.plan(after_)), false);
  deepEqual(planned("postgres", after_, make), [
    'ALTER TABLE "t" ADD COLUMN "c" TEXT',
  ]);
  const before: Record = (op) =>
    op.alterTable(
      "t",
      (t) => t.addColumn("c", text().nullable(), { insertBefore: "b" }),
      { recreate: "never" },
    );
  const order: Record = (op) =>
    op.alterTable("t", () => {}, {
      partialReordering: [["b", "a"]],
      recreate: "never",
    });
  const refused: [Record, RegExp][] = [
    [
      before,
      /Cannot alter table 't' in place: SQLite cannot add column 'c' anywhere but at the end; allow a rebuild with recreate: 'auto'/,
    ],
    [
      order,
      /Cannot alter table 't' in place: SQLite keeps the order of columns; allow a rebuild/,
    ],
    [
      (op) => op.addColumn("t", "c", text(), { insertBefore: "nothing" }),
      /Cannot place column 'c' beside 'nothing': there are 'id', 'a', 'b'; name one of these/,
    ],
    [
      (op) =>
        op.addColumn("t", "c", text(), { insertAfter: "b", insertBefore: "a" }),
      /Cannot place column 'c' after 'b' and before 'a': they stand the other way round/,
    ],
    [
      (op) =>
        op.alterTable("t", () => {}, {
          partialReordering: [["b", "a"], ["a", "b"]],
        }),
      /Cannot reorder columns \(b, a\), \(a, b\): the lists contradict each other/,
    ],
    [
      (op) => op.alterTable("t", () => {}, { partialReordering: [["q"]] }),
      /Cannot reorder columns \(q\): there is no 'q'; name some of id, a, b/,
    ],
  ];
  for (const [record, message] of refused) {
    throws(() => t.plan(record), message);
  }
  throws(
    () => planned("postgres", before, make),
    /Cannot place column 'c' of table 't': Postgres adds columns at the end; leave insertAfter and insertBefore out/,
  );
  throws(
    () => planned("postgres", order, make),
    /Cannot reorder the columns of table 't': Postgres keeps their order/,
  );
  // What order there was before is known from the revisions, or not at all.
  const { planner, map } = createMigrator({
    revisions: [revision({
      revision: "aaaa1111",
      upgrade: order,
      downgrade: "reverse",
    })],
    engine: t.engine,
  });
  throws(
    () => planner.undoing(map.byId.get("aaaa1111")!, planner.applied([])),
    /Cannot reverse the order of columns of table 't': .*give alterTable\(…, \{ original: table\(…\) \}\)/,
  );
});

Deno.test("migrate 148: a table is neither made nor dropped inside alterTable(), and it says where", () => {
  const isTold = (call: RegExp) => (error: unknown) => {
    ok(error instanceof OperationError);
    equal(error.code, "migrate/inside-alter-table");
    ok(call.test(error.message), error.message);
    return true;
  };
  throws(
    () =>
      recorded((op) =>
        op.alterTable("t", (t) => t.createTable("u", { id: integer() }))
      ),
    isTold(
      /Cannot make table 'u' inside alterTable\(\): .*; call op\.createTable\(\) before or after it/,
    ),
  );
  throws(
    () => recorded((op) => op.alterTable("t", (t) => t.dropTable("u"))),
    isTold(/Cannot drop table 'u' inside alterTable\(\): .* op\.dropTable\(\)/),
  );
  // The outer op would record it before the changes that it stands behind.
  for (
    const record of [
      (op) => void op.createTable("u", { id: integer() }),
      (op) => op.dropTable("u"),
      (op) => op.addColumn("u", "a", integer()),
    ] as Record[]
  ) {
    throws(
      () => recorded((op) => op.alterTable("t", () => record(op))),
      isTold(
        /Cannot record \w+\(\) inside alterTable\('t'\): it would come before/,
      ),
    );
  }
  // One that has failed is over.
  equal(
    recorded((op) => {
      throws(() =>
        op.alterTable("t", () => {
          throw new Error("mine");
        }), /mine/);
      op.dropTable("u");
    }).length,
    1,
  );
  deepEqual(new TableChanges().changes, []);
});
