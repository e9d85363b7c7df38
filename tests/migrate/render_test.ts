/** Operations as source, and what may change them on the way. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import {
  type Comparator,
  compareTables,
  describeOperations,
  type Operation,
  Operations,
  renderOperations,
  type RenderOptions,
  Rewriter,
  STOP,
} from "../../migrate/mod.ts";
import { runPostWriteHooks } from "../../migrate/cli/post_write.ts";
import { contentOf } from "../../migrate/cli/proposals.ts";
import { normalForm } from "../../migrate/operations/checksum.ts";
import * as core from "../../sql/mod.ts";
import {
  array,
  bigint,
  blob,
  boolean,
  check,
  column,
  date,
  type Dialect,
  enumeration,
  foreignKey,
  index,
  instant,
  integer,
  interval,
  json,
  MetaData,
  numeric,
  postgres,
  primaryKey,
  real,
  sqlite,
  table,
  text,
  time,
  timestamp,
  typeDecorator,
  unique,
  uuid,
} from "../../sql/mod.ts";

/** What operations are recorded by a function. */
function recorded(record: (op: Operations) => void): readonly Operation[] {
  const op = new Operations();
  record(op);
  return op.take();
}

/** What source records. */
function executed(body: string): readonly Operation[] {
  const run = new Function("op", ...Object.keys(core), body);
  return recorded((op) => run(op, ...Object.values(core)));
}

function render(
  operations: readonly Operation[],
  options: Partial<RenderOptions> = {},
): string {
  return renderOperations(operations, { dialect: sqlite, ...options }).body;
}

Deno.test("migrate 168: no difference is a body that does nothing, and changes of one table stand together", () => {
  const { body, imports } = contentOf(
    {
      revision: "aaaa1111",
      message: "",
      head: [],
      splice: false,
      branchLabels: [],
      dependsOn: [],
      versionPath: undefined,
      operations: {},
    },
    [],
  );
  equal(body, '  upgrade(_op) {\n  },\n  downgrade: "reverse",\n');
  equal(imports, 'import { revision } from "@aludel/aludel/migrate";');
  equal(render([]), "");

  const grouped = recorded((op) =>
    op.alterTable("t", (t) => {
      t.addColumn("a", integer().nullable());
      t.createIndex("ix_a", ["a"]);
    })
  );
  equal(
    render(grouped),
    `op.alterTable("t", (t) => {
  t.addColumn("a", integer().nullable());
  t.createIndex("ix_a", ["a"]);
});`,
  );
  const alone = recorded((op) => op.createIndex("ix_a", "t", ["a"]));
  equal(render(alone), 'op.createIndex("ix_a", "t", ["a"]);');
});

/** Every operation there is, in every shape. */
function everything(op: Operations): void {
  op.createTable("every 'type'", {
    id: integer().primaryKey({ autoincrement: true }),
    'odd "name"': text(30).nullable(),
    ünïcödé: text().serverDefault('it\'s "ü"\n\\'),
    big: bigint().serverDefault(5),
    flag: boolean().serverDefault(true),
    real: real().serverDefault(-0.5),
    exact: numeric(10, 2),
    rough: numeric(),
    day: date(),
    hour: time(),
    at: timestamp().serverDefault(text("CURRENT_TIMESTAMP")),
    micro: instant(),
    length: interval(),
    doc: json(),
    bytes: blob(),
    key: uuid(),
    mood: enumeration("mood", ['so "so"', "ok"]),
    list: array(text(5)),
    vector: column({ name: "any", args: [] }),
    doubled: integer().computed(text('"big" * 2'), { stored: true }),
    tripled: integer().computed(text("big * 3")),
    parent: integer().references("other.id", {
      name: "fk_parent",
      onDelete: "cascade",
      onUpdate: "set null",
      deferrable: true,
      initiallyDeferred: true,
    }).nullable(),
    word: text().unique().index().comment("a 'word'"),
  }, [
    unique(["real", "flag"], "uq"),
    unique(["flag", "real"]),
    check(text("real > 0"), "ck"),
    check(text("flag <> 'x'")),
    foreignKey(["big", "exact"], ["other.a", "other.b"]),
    index("ix", ["real", text("lower(word)"), text('"day"').desc()], {
      unique: true,
      where: text("flag"),
    }),
  ], { comment: "all of it", strict: true, withoutRowid: true });
  op.createTable("pair", { a: integer(), b: integer() }, [
    primaryKey(["b", "a"], "pk_pair"),
  ], { schema: "other", ifNotExists: true });
  op.renameTable("a", "b");
  op.renameTable("a", "b", { schema: "other" });
  op.dropTable("gone", {
    ifExists: true,
    original: table("gone", new MetaData(), { id: integer().primaryKey() }),
  });
  op.alterTable("t", (t) => {
    t.addColumn("a", integer().nullable(), { ifNotExists: true });
    t.addColumn("k", integer().primaryKey(), { inlinePrimaryKey: true });
    t.addColumn("p", text(), { insertAfter: "a", insertBefore: "k" });
    t.dropColumn("b", { original: text().nullable() });
    t.renameColumn("c", "d");
    t.alterColumn("d", {
      type: text(5),
      nullable: true,
      serverDefault: "x",
      comment: null,
      identity: "always",
      using: text("d::text"),
    });
    t.alterColumn("e", { serverDefault: null, identity: null });
    t.alterColumn("f", { serverDefault: text("now()") });
    t.createIndex("ix", ["a", text("lower(d)")], {
      unique: true,
      where: text("a > 0"),
      using: "gist",
      include: ["e"],
      nullsNotDistinct: true,
      ifNotExists: true,
      concurrently: true,
    });
    t.dropIndex("ix2", {
      ifExists: true,
      concurrently: true,
      original: index("ix2", ["a"]),
    });
    t.createUniqueConstraint("uq", ["a"]);
    t.createForeignKey("fk", ["a"], ["o.id"], { onDelete: "cascade" });
    t.createCheckConstraint("ck", text("a > 0"));
    t.createCheckConstraint(op.f("ck_t_final"), text("a > 1"), {
      notValid: true,
    });
    t.createForeignKey("fk2", ["d"], ["o.id"], { notValid: true });
    t.validateConstraint("fk2");
    t.validateConstraint(op.f("ck_t_final"), { type: "check" });
    t.dropConstraint(op.f("ck_t_gone"));
    t.createPrimaryKey("pk", ["a"], { include: ["d"] });
    t.createUniqueConstraint("uq3", ["a"], {
      nullsNotDistinct: true,
      deferrable: true,
    });
    t.createExcludeConstraint("ex", [["a", "="], [text("r(d)"), "&&"]], {
      using: "spgist",
      where: text("a > 0"),
      initiallyDeferred: true,
    });
    t.addConstraint(unique(["a", "d"]));
    t.dropConstraint("old", { original: unique(["a"]) });
    t.createTableComment("it's", { original: null });
    t.dropTableComment({ original: "it was" });
  }, { schema: "other", recreate: "always" });
  op.addColumn("t", "a", integer().references("o.id"));
  op.alterColumn("t", "a", { nullable: false });
  op.dropConstraint("ck", "t", { original: check(text("a > 0"), "ck") });
  op.dropConstraint("fk", "t", { type: "foreignKey", ifExists: true });
  op.alterTable("t", () => {}, { partialReordering: [["b", "a"], ["c"]] });
  op.createForeignKey("fk", "t", ["a"], ["o.id"]);
  op.createTableComment("t", "words");
  op.execute("SELECT 'x' WHERE 1 = 1", { undo: "SELECT 2" });
  op.autocommitBlock((op) => op.execute("VACUUM"));
  op.bulkInsert("t", [{ a: 1, "b c": "it's" }]);
}

Deno.test("migrate 169: what is rendered records the same operations, whatever they are, in every dialect", () => {
  const operations = recorded(everything);
  for (const dialect of [sqlite, postgres] as Dialect[]) {
    const { body, imports } = renderOperations(operations, { dialect });
    const told = (all: readonly Operation[]) =>
      all.map((one) => JSON.stringify(normalForm(one, dialect)));
    const again = told(executed(body));
    told(operations).forEach((line, at) => equal(again[at], line));
    // What helps to undo it comes back as well.
    const [drop] = executed(body).filter(({ kind }) => kind === "dropTable");
    ok(drop?.kind === "dropTable" && drop.original?.columns.length === 1);
    const names = /\{ (.*) \}/.exec(imports.toString())![1]!.split(", ");
    deepEqual(names, [...new Set(names)].sort());
    for (const name of names) ok(name in core, name);
  }
});

Deno.test("migrate 169: a type of one's own is written as what it stands on, and its imports once", () => {
  const money = typeDecorator<number, string>(numeric(12, 2), {
    processBindParam: String,
    processResultValue: Number,
  });
  const operations = recorded((op) => {
    op.addColumn("t", "a", column(money));
    op.addColumn("t", "b", column(money).nullable());
  });
  const { body, imports } = renderOperations(operations, { dialect: sqlite });
  equal(
    body,
    `// not-null: Column 't.a' is NOT NULL and has no constant serverDefault: it fails on a table with rows
op.addColumn("t", "a", numeric(12, 2));
op.addColumn("t", "b", numeric(12, 2).nullable());`,
  );
  equal(imports.toString(), 'import { numeric } from "@aludel/aludel/sql";');
});

Deno.test("migrate 170: a table of a thousand columns is valid source, and conventional names stand as they are", async () => {
  const wide = Object.fromEntries(
    Array.from({ length: 1000 }, (_, at) => [`c${at}`, integer()]),
  );
  const operations = recorded((op) => void op.createTable("wide", wide));
  const [made] = executed(render(operations));
  ok(made?.kind === "createTable" && made.table.columns.length === 1000);

  const naming = { unique: "uq_{table}_{columns}", index: "idx_{columns}" };
  const model = new MetaData({ naming });
  table("t", model, { id: integer().primaryKey(), a: text().unique().index() });
  const found = await compareTables([...model.tables.values()], [], sqlite);
  equal(
    render(found.operations),
    `op.createTable("t", {
  id: integer().primaryKey(),
  a: text(),
}, [
  unique(["a"], "uq_t_a"),
  index("idx_a", ["a"]),
]);`,
  );
});

Deno.test("migrate 171: renderItem writes a thing its own way, leaves it as it is, or leaves it out", () => {
  const operations = recorded((op) => {
    op.createTable("t", {
      id: integer().primaryKey(),
      price: numeric(10, 2).nullable(),
      secret: text(),
    }, [check(text("id > 0"), "ck"), unique(["price"], "uq")]);
    op.addColumn("t", "secret", text());
  });
  const { body, imports } = renderOperations(operations, {
    dialect: sqlite,
    renderItem(kind, item, imports) {
      if (kind === "type" && (item as core.SqlType).name === "numeric") {
        return `${imports.use("money", "../types.ts")}()`;
      }
      if (kind === "constraint") {
        return (item as core.Constraint).kind === "check" ? null : undefined;
      }
      if (kind === "column") {
        const { spec } = item as core.ColumnBuilder<unknown>;
        return spec.type.name === "text" ? null : undefined;
      }
    },
  });
  equal(
    body,
    `op.createTable("t", {
  id: integer().primaryKey(),
  price: money().nullable(),
}, [
  unique(["price"], "uq"),
]);`,
  );
  equal(
    imports.toString(),
    `import { money } from "../types.ts";
import { integer, unique } from "@aludel/aludel/sql";`,
  );
});

Deno.test("migrate 173: a rewriter visits operations and changes once, and leaves no empty shell", () => {
  const operations = recorded((op) => {
    op.createTable("a", { id: integer() });
    op.alterTable("t", (t) => {
      t.addColumn("x", integer());
      t.addColumn("y", integer());
      t.dropColumn("z");
    });
    op.dropColumn("u", "z");
    op.autocommitBlock((op) => op.execute("VACUUM"));
  });
  const lines = (rewriter: Rewriter) =>
    describeOperations(rewriter.apply(operations));
  deepEqual(lines(new Rewriter()), describeOperations(operations));

  const seen: string[] = [];
  const rewriter = new Rewriter()
    .on("createTable", (operation) => {
      seen.push(operation.table.name);
      // Its own output is not visited again.
      return [
        operation,
        ...recorded((op) => void op.createTable("b", { id: integer() })),
      ];
    })
    .on("addColumn", (change, place) => {
      seen.push(`${place?.table}.${change.name}`);
      return change.name === "x"
        ? { ...change, column: change.column.nullable() }
        : undefined;
    })
    .on("dropColumn", () => null)
    .on("execute", () => null);
  deepEqual(lines(rewriter), [
    "Detected added table 'a'",
    "Detected added table 'b'",
    "Detected added column 't.x'",
    "Detected added column 't.y'",
  ]);
  deepEqual(seen, ["a", "t.x", "t.y"]);

  const order: string[] = [];
  const first = new Rewriter().on("dropColumn", ({ name }) => {
    order.push(`first ${name}`);
    return { kind: "renameColumn", name, to: `old_${name}` };
  });
  const second = new Rewriter().on("renameColumn", ({ to }) => {
    order.push(`second ${to}`);
    return undefined;
  });
  deepEqual(lines(first.chain(second)).slice(-2, -1), [
    "Detected renamed column 'u.z' to 'old_z'",
  ]);
  deepEqual(order, ["first z", "first z", "second old_z", "second old_z"]);
});

Deno.test("migrate 174: hooks run in order on the file, in their directory, and a missing or failing one is named", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const file = `${directory}/revision.ts`;
    Deno.writeTextFileSync(file, "");
    const log = `${directory}/log`;
    const script = `${directory}/hook.sh`;
    Deno.writeTextFileSync(script, `echo "$(basename $PWD) $@" >> ${log}\n`);
    const place = Deno.makeTempDirSync({ dir: directory, prefix: "place" });
    await runPostWriteHooks(file, [
      {
        executable: "sh",
        args: [script, "REVISION_SCRIPT_FILENAME", "-x"],
        cwd: place,
      },
      { executable: "sh", args: [script, "two", "REVISION_SCRIPT_FILENAME"] },
    ]);
    const lines = Deno.readTextFileSync(log).trim().split("\n");
    equal(lines[0], `${place.split("/").at(-1)} ${file} -x`);
    match(lines[1]!, new RegExp(`two ${file}$`));
    // Without its place among the arguments, the file comes first.
    Deno.writeTextFileSync(file, `echo ran with "$@" >> ${log}\n`);
    await runPostWriteHooks(file, [{ executable: "sh", args: ["-q"] }]);
    match(Deno.readTextFileSync(log), /ran with -q\n$/);

    await rejects(
      runPostWriteHooks(file, [{ executable: "/nowhere/tool" }]),
      /Cannot run post-write hook '\/nowhere\/tool': it could not be started/,
    );
    await rejects(
      runPostWriteHooks(file, [{ executable: "" }]),
      /it names no executable/,
    );
    await rejects(
      runPostWriteHooks(file, [{ executable: "false" }]),
      /hook 'false': it ended with 1; the revision is written/,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("migrate 175: comparators are chosen by patterns, asked in order, for a dialect, until one says stop", async () => {
  const tables = (columns: core.ColumnBuilders) => [
    table("t", new MetaData(), { id: integer().primaryKey(), ...columns }),
  ];
  const asked: string[] = [];
  const plugin = (
    name: string,
    more: Partial<Comparator> = {},
  ): Comparator => ({
    name,
    compare() {
      asked.push(name);
      return [];
    },
    ...more,
  });
  const compare = (
    plugins: readonly Comparator[],
    comparators?: readonly string[],
  ) =>
    compareTables(tables({ a: integer() }), tables({ b: text() }), sqlite, {
      plugins,
      ...(comparators ? { comparators } : {}),
    });
  const own = [
    plugin("my.last", { priority: "last" }),
    plugin("my.medium"),
    plugin("my.first", { priority: "first" }),
    plugin("my.postgres", { dialect: "postgres" }),
    plugin("my.sqlite", { dialect: "sqlite" }),
  ];
  equal((await compare(own)).operations.length, 1);
  deepEqual(asked, ["my.first", "my.medium", "my.sqlite", "my.last"]);

  asked.length = 0;
  equal((await compare(own, ["my.*", "~*.medium"])).operations.length, 0);
  deepEqual(asked, ["my.first", "my.sqlite", "my.last"]);

  asked.length = 0;
  const stop = plugin("my.stop", { priority: "first", compare: () => STOP });
  const stopped = await compare([...own, stop], ["my.stop", "my.last"]);
  deepEqual([stopped.operations.length, asked], [0, []]);

  await rejects(
    () => compare([plugin("columns")]),
    /Cannot use comparator 'columns': there are two of that name/,
  );
  for (const pattern of ["nothing*", "~nothing"]) {
    await rejects(
      () => compare(own, ["*", pattern]),
      /Cannot find a comparator for '~?nothing/,
    );
  }
});
