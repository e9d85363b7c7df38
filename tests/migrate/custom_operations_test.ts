/** Operations of one's own. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import {
  createMigrator,
  defineOperation,
  describeOperations,
  lint,
  type Operation,
  type OperationDefinition,
  OperationError,
  renderOperations,
  revision,
} from "../../migrate/mod.ts";
import { integer, sqlite, text } from "../../sql/mod.ts";
import { after } from "./after.ts";
import { rowsOf, startD1, startNeon } from "./databases.ts";
import { planned, type Record, recorded } from "./planned.ts";

const neon = await startNeon();
const d1 = await startD1("custom");
Deno.test.afterAll(async () => {
  await neon[Symbol.asyncDispose]();
  await d1[Symbol.asyncDispose]();
});

interface View {
  readonly name: string;
  readonly select: string;
}

const createView: OperationDefinition<View> = defineOperation<View>(
  "createView",
  { reverse: (view) => dropView.operation(view), module: "../views.ts" },
)
  .implement(
    "*",
    (op, { name, select }) => op.execute(`CREATE VIEW ${name} AS ${select}`),
  )
  .implement(
    "postgres",
    (op, { name, select }) =>
      op.execute(`CREATE MATERIALIZED VIEW ${name} AS ${select}`),
  );
const dropView: OperationDefinition<View> = defineOperation<View>("dropView", {
  reverse: (view) => createView.operation(view),
})
  .implement("*", (op, { name }) => op.execute(`DROP VIEW ${name}`))
  .implement(
    "postgres",
    (op, { name }) => op.execute(`DROP MATERIALIZED VIEW ${name}`),
  );

const make: Record = (op) => {
  const t = op.createTable("t", { id: integer().primaryKey(), a: text() });
  op.bulkInsert(t, [{ id: 1, a: "x" }]);
};
const view = { name: "v", select: "SELECT a FROM t" };

Deno.test("migrate 129: an operation of one's own is dispatched by dialect, and reversed by the one that it names", async () => {
  const record: Record = (op) => op.invoke(createView, view);
  deepEqual(planned("sqlite", record, make), [
    "CREATE VIEW v AS SELECT a FROM t",
  ]);
  deepEqual(planned("postgres", record, make), [
    "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
  ]);
  const engines = [undefined, d1.engine("custom"), await neon.engine("custom")];
  for (const engine of engines) {
    await using t = await after(make, undefined, engine);
    await t.run(record);
    deepEqual(await rowsOf(t.engine, "SELECT a FROM v"), [["x"]]);
    await t.undo();
    await t.run(record);
    await t.run((op) => op.invoke(dropView.operation(view)));
    await t.undo();
    deepEqual(await rowsOf(t.engine, "SELECT a FROM v"), [["x"]]);
  }
});

Deno.test("migrate 129: a second implementation for a dialect is an error, unless it says that it replaces", () => {
  const other = (op: { execute(sql: string): void }) => op.execute("SELECT 1");
  throws(() => createView.implement("postgres", other), (error) => {
    ok(error instanceof OperationError);
    match(
      error.message,
      /Cannot implement createView\(\) for 'postgres': there is an implementation; say \{ replace: true \}/,
    );
    return true;
  });
  const replaced = createView.implement("postgres", other, { replace: true });
  const invoke = (definition: OperationDefinition<View>): Record => (op) =>
    op.invoke(definition, view);
  deepEqual(planned("postgres", invoke(replaced)), ["SELECT 1"]);
  // The one that it was made of is as it was.
  equal(
    planned("postgres", invoke(createView))[0]!.slice(0, 19),
    "CREATE MATERIALIZED",
  );
  const onlyPostgres = defineOperation<View>("refresh").implement(
    "postgres",
    other,
  );
  throws(
    () => planned("sqlite", invoke(onlyPostgres)),
    /Cannot plan refresh\(\) for dialect 'sqlite': it is implemented for 'postgres'; add implement\('sqlite', …\)/,
  );
  throws(
    () => planned("sqlite", invoke(defineOperation<View>("nothing"))),
    /it is implemented for none/,
  );
  // @ts-expect-error -- what it takes is typed
  recorded((op) => op.invoke(createView, { name: 5 }));
});

const addAudit = defineOperation<{ table: string }>("addAudit").implement(
  "*",
  (op, { table }) => {
    op.alterTable(table, (t) => {
      t.addColumn("changed_by", text().nullable().index());
      t.alterColumn("a", { nullable: true });
    });
    op.autocommitBlock((op) => op.invoke(createView, view));
  },
);

Deno.test("migrate 129: one that stands for others is planned, digested, judged, followed and reversed as they are", async () => {
  const audited: Record = (op) => op.invoke(addAudit, { table: "t" });
  await using t = await after(make);
  await t.run(audited);
  // What comes next knows of the column.
  await t.run((op) =>
    op.alterColumn("t", "changed_by", { serverDefault: "me" })
  );
  await t.undo();
  await t.undo();
  deepEqual(await t.rows("SELECT name FROM pragma_table_info('t')"), [["id"], [
    "a",
  ]]);
  deepEqual(await t.rows("SELECT 1 FROM sqlite_master WHERE name = 'v'"), []);

  const migrator = (upgrade: Record) =>
    createMigrator({
      revisions: [
        revision({ revision: "aaaa1111", upgrade, downgrade: "reverse" }),
      ],
      engine: t.engine,
    });
  const digest = (upgrade: Record) => {
    const { planner, map } = migrator(upgrade);
    return planner.checksum(map.byId.get("aaaa1111")!);
  };
  equal(
    await digest((op) => op.invoke(createView, view)),
    await digest((op) => op.execute("CREATE VIEW v AS SELECT a FROM t")),
  );
  const drops = defineOperation<{ table: string }>("drops").implement(
    "*",
    (op, { table }) => op.dropTable(table),
  );
  deepEqual(
    lint(migrator((op) => {
      make(op);
      op.invoke(drops, { table: "t" });
    })).map(({ code }) => code),
    ["drop-table"],
  );
});

Deno.test("migrate 129: one is written into a revision by its name and where it comes from, or it says what is missing", () => {
  const operations: readonly Operation[] = recorded((op) =>
    op.invoke(createView, view)
  );
  const { body, imports } = renderOperations(operations, { dialect: sqlite });
  equal(
    body,
    'op.invoke(createView, {\n  "name": "v",\n  "select": "SELECT a FROM t"\n});',
  );
  equal(imports.toString(), 'import { createView } from "../views.ts";');
  deepEqual(describeOperations(operations), ["Detected createView()"]);
  throws(
    () => renderOperations([dropView.operation(view)], { dialect: sqlite }),
    /Cannot write dropView\(\): it is not known where it comes from; give module to defineOperation\(\)/,
  );
});
