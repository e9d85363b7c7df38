/** What a comparison finds, kind by kind. */
import { PGlite } from "@electric-sql/pglite";
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { pglite } from "../../backends/pglite.ts";
import {
  type AnyColumn,
  autogenerate,
  compareMetadata,
  type CompareOptions,
  createMigrator,
  describeOperations,
  type MetaDataSource,
  type Operation,
  renderOperations,
  type Revision,
  revision,
} from "../../migrate/mod.ts";
import { reverseOperations } from "../../migrate/operations/reverse.ts";
import { SchemaSnapshot } from "../../migrate/schema/snapshot.ts";
import {
  bigint,
  boolean,
  check,
  column,
  type ColumnBuilders,
  type Constraint,
  createEngine,
  date,
  dropAll,
  type Engine,
  foreignKey,
  index,
  integer,
  interval,
  json,
  MetaData,
  numeric,
  primaryKey,
  real,
  sqlite,
  table,
  type TableOptions,
  text,
  timestamp,
  typeDecorator,
  unique,
  uuid,
  varchar,
} from "../../sql/mod.ts";
import { memoryEngine, rowsOf } from "./databases.ts";

/** Metadata from a function that fills it. */
function metadataOf(fill: (metadata: MetaData) => void): MetaData {
  const metadata = new MetaData();
  fill(metadata);
  return metadata;
}

/** One table `t` with an id and more. */
function one(
  columns: ColumnBuilders = {},
  constraints: readonly Constraint[] = [],
  options: TableOptions = {},
): MetaData {
  return metadataOf((metadata) =>
    table(
      "t",
      metadata,
      { id: integer().primaryKey(), ...columns },
      constraints,
      options,
    )
  );
}

interface Found {
  readonly lines: string[];
  readonly operations: readonly Operation[];
  readonly remarks: readonly string[];
}

/** What leads from a schema that is made to one that is wanted. */
async function between(
  engine: Engine,
  before: MetaData,
  after: MetaDataSource,
  options: CompareOptions = {},
): Promise<Found> {
  await before.createAll(engine);
  try {
    return await found(engine, after, options);
  } finally {
    await dropAll(before, engine);
  }
}

async function found(
  engine: Engine,
  metadata: MetaDataSource,
  options: CompareOptions = {},
): Promise<Found> {
  const { operations, remarks } = await compareMetadata(engine, metadata, {
    decideRename: () => null,
    ...options,
  });
  return { lines: describeOperations(operations), operations, remarks };
}

const server = createEngine(pglite(new PGlite()));
Deno.test.afterAll(() => server.close());

/** Runs a test on a Postgres that holds nothing. */
async function onPostgres(
  work: (engine: Engine) => Promise<void>,
): Promise<void> {
  for (const schema of ["public", "other"]) {
    await rowsOf(server, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  }
  await rowsOf(server, "CREATE SCHEMA public");
  await work(server);
}

/** Runs a test on a SQLite in memory and on a Postgres. */
async function onBoth(
  work: (engine: Engine, name: string) => Promise<void>,
): Promise<void> {
  await using memory = memoryEngine();
  await work(memory, memory.dialect.name);
  await onPostgres((engine) => work(engine, engine.dialect.name));
}

Deno.test("migrate 149: nothing differs from what was made of it, and differences come in one order", async () => {
  await onBoth(async (engine) => {
    const before = metadataOf((m) => {
      table("gone", m, { id: integer().primaryKey() });
      table("kept", m, {
        id: integer().primaryKey(),
        old: text(),
        name: text(),
        both: integer(),
      }, [index("ix_old", ["both"])]);
    });
    const after = metadataOf((m) => {
      table("child", m, {
        id: integer().primaryKey(),
        parentId: integer().named("parent_id").references("parent.id"),
      });
      table("parent", m, { id: integer().primaryKey() });
      table("kept", m, {
        id: integer().primaryKey(),
        name: text().nullable(),
        both: integer(),
        added: integer().nullable(),
      }, [unique(["both"], "uq_both"), index("ix_new", ["both"])]);
    });

    deepEqual((await between(engine, before, before)).operations, []);
    deepEqual((await between(engine, before, after)).lines, [
      "Detected added table 'parent'",
      "Detected added table 'child'",
      "Detected removed table 'gone'",
      "Detected added column 'kept.added'",
      "Detected removed index 'ix_old' on 'kept' (both)",
      "Detected added index 'ix_new' on 'kept' (both)",
      "Detected added unique constraint 'uq_both' on 'kept' (both)",
      "Detected NULL on column 'kept.name'",
      "Detected removed column 'kept.old'",
    ]);
  });
});

Deno.test("migrate 149: a table that others refer to goes when they are changed, and a circle is closed last", async () => {
  await onBoth(async (engine) => {
    const before = metadataOf((m) => {
      table("users", m, { id: integer().primaryKey() });
      table("posts", m, {
        id: integer().primaryKey(),
        userId: integer().references("users.id").nullable(),
      });
    });
    const after = metadataOf((m) => {
      table("posts", m, { id: integer().primaryKey() });
      for (const [name, other] of [["a", "b"], ["b", "a"]] as const) {
        table(name, m, {
          id: integer().primaryKey(),
          other: integer().references(`${other}.id`).nullable(),
        });
      }
    });
    deepEqual((await between(engine, before, after)).lines, [
      "Detected added table 'a'",
      "Detected added table 'b'",
      "Detected added foreign key 'a_other_fkey' (other) to (b.id) on 'a'",
      "Detected removed column 'posts.userId'",
      "Detected removed table 'users'",
    ]);
  });
});

Deno.test("migrate 150: the way down is the way up backwards, each operation its inverse", async () => {
  await using engine = memoryEngine();
  const before = one({ a: integer(), b: text() }, [index("ix_a", ["a"])]);
  const { operations } = await between(
    engine,
    before,
    metadataOf((m) => {
      table("t", m, { id: integer().primaryKey(), b: text(20), c: integer() });
      table("u", m, { id: integer().primaryKey() });
    }),
  );
  const known = new SchemaSnapshot(sqlite, before.tables.values());
  const back = reverseOperations(operations, known, sqlite);
  deepEqual(back.map(({ kind }) => kind), ["alterTable", "dropTable"]);
  deepEqual(describeOperations(back), [
    "Detected added column 't.a'",
    "Detected added index 'ix_a' on 't' (a)",
    "Detected type change to text on 't.b'",
    "Detected removed column 't.c'",
    "Detected removed table 'u'",
  ]);
});

Deno.test("migrate 151: the version table is on neither side, whatever it is called and wherever it lies", async () => {
  await onBoth(async (engine, name) => {
    const settings = name === "sqlite"
      ? { versionTable: "my_version", historyTable: "my_history" }
      : { versionTable: "my_version", versionTableSchema: "other" };
    if (name !== "sqlite") await rowsOf(engine, "CREATE SCHEMA other");
    const empty = revision({ revision: "aaaa1111" });
    const migrator = createMigrator({
      revisions: [empty],
      engine,
      ...settings,
    });
    await migrator.upgrade();
    await rowsOf(engine, "CREATE TABLE d1_migrations (id INTEGER)");
    const options = name === "sqlite" ? {} : { includeSchemas: ["other"] };

    deepEqual(
      (await autogenerate(migrator, new MetaData(), options)).operations,
      [],
    );
    const described = metadataOf((m) =>
      table("my_version", m, { id: integer().primaryKey() })
    );
    deepEqual((await autogenerate(migrator, described)).operations, []);
  });
});

Deno.test("migrate 152: a removed table carries its whole description, nothing of it twice", async () => {
  await onBoth(async (engine) => {
    const before = one({ a: text().unique(), b: integer().index() }, [
      unique(["a", "b"], "uq_ab"),
      check(text("b > 0"), "ck_b"),
    ]);
    const { operations } = await between(engine, before, []);
    const { body } = renderOperations(operations, { dialect: engine.dialect });
    equal(
      body,
      `// drop-table: Table 't' goes with its rows
op.dropTable("t", { original: table("t", new MetaData(), {
  id: integer().primaryKey(),
  a: text().unique(),
  b: integer().index(),
}, [
  unique(["a", "b"], "uq_ab"),
  check(text("b > 0"), "ck_b"),
]) });`,
    );
  });
});

Deno.test("migrate 153: includeName leaves out what is there by its name, before it is compared", async () => {
  await onBoth(async (engine) => {
    const before = metadataOf((m) => {
      table("mine", m, {
        id: integer().primaryKey(),
        a: integer(),
        theirs_column: integer(),
      }, [
        index("ix_theirs", ["a"]),
        unique(["a"], "uq_theirs"),
        check(text("a > 0"), "ck_theirs"),
      ]);
      table("theirs", m, { id: integer().primaryKey() });
    });
    const after = metadataOf((m) =>
      table("mine", m, { id: integer().primaryKey(), a: integer() })
    );
    const asked: string[] = [];
    const { lines } = await between(engine, before, after, {
      includeName(name, kind, { table }) {
        asked.push(`${kind} ${table ?? ""}.${name}`);
        return !name.includes("theirs");
      },
    });
    deepEqual(lines, []);
    for (
      const each of [
        "table .theirs",
        "column mine.theirs_column",
        "index mine.ix_theirs",
        "uniqueConstraint mine.uq_theirs",
        "checkConstraint mine.ck_theirs",
      ]
    ) ok(asked.includes(each), each);
  });
});

Deno.test("migrate 153: includeObject sees what differs, on which side, and what it is compared with", async () => {
  await onBoth(async (engine) => {
    const before = metadataOf((m) => {
      table("users", m, { id: integer().primaryKey() });
      table("gone", m, { id: integer().primaryKey() });
      table("t", m, {
        id: integer().primaryKey(),
        old: integer(),
        changed: integer(),
        ref: integer().references("users.id"),
      }, [
        index("ix_old", ["changed"]),
        index("ix_changed", ["changed"]),
        unique(["changed"], "uq_old"),
        check(text("changed > 0"), "ck_old"),
      ]);
    });
    const after = metadataOf((m) => {
      table("users", m, { id: integer().primaryKey() });
      table("added", m, { id: integer().primaryKey() });
      table("t", m, {
        id: integer().primaryKey(),
        fresh: integer(),
        changed: text(),
        ref: integer(),
      }, [
        index("ix_new", ["changed"]),
        index("ix_changed", ["changed", "ref"]),
        unique(["changed"], "uq_new"),
        check(text("id > 0"), "ck_new"),
        foreignKey(["fresh"], ["users.id"]),
      ]);
    });
    const seen = new Set<string>();
    const { lines } = await between(engine, before, after, {
      includeObject(_object, name, kind, isReflected, compareTo) {
        if (kind === "table" && name === "t" || name === "users") return true;
        seen.add(
          `${isReflected ? "-" : "+"} ${kind} ${
            kind === "foreignKeyConstraint" ? "" : name
          }${compareTo ? " =" : ""}`,
        );
        return false;
      },
    });
    deepEqual(lines, []);
    deepEqual([...seen].sort(), [
      "+ checkConstraint ck_new",
      "+ column changed =",
      "+ column fresh",
      "+ column id =",
      "+ column ref =",
      "+ foreignKeyConstraint ",
      "+ index ix_changed =",
      "+ index ix_new",
      "+ table added",
      "+ uniqueConstraint uq_new",
      "- checkConstraint ck_old",
      "- column old",
      "- foreignKeyConstraint ",
      "- index ix_old",
      "- table gone",
      "- uniqueConstraint uq_old",
    ]);
  });
});

Deno.test("migrate 154: the default schema is one whether it is named or not, others count when they are asked for", async () => {
  await onPostgres(async (engine) => {
    await rowsOf(engine, "CREATE SCHEMA other");
    const model = (schema?: string, target = "a") =>
      metadataOf((m) => {
        const options = schema === undefined ? {} : { schema };
        table("a", m, { id: integer().primaryKey() }, [], options);
        table(
          "b",
          m,
          { id: integer().primaryKey(), a: integer() },
          [foreignKey(["a"], [`${target}.id`])],
          options,
        );
      });
    deepEqual((await between(engine, model(), model("public"))).lines, []);
    deepEqual(
      (await between(engine, model(), model("public", "public.a"))).lines,
      [],
    );
    deepEqual((await between(engine, model("public"), model())).lines, []);

    const other = model("other", "other.a");
    const unasked = await between(engine, other, other);
    deepEqual(unasked.lines, []);
    match(unasked.remarks[0]!, /'other.a' is left alone; .*includeSchemas/);
    const asked = { includeSchemas: ["other"] };
    deepEqual((await between(engine, other, other, asked)).lines, []);
    deepEqual((await between(engine, other, [], asked)).lines, [
      "Detected removed table 'other.b'",
      "Detected removed table 'other.a'",
    ]);
    deepEqual((await found(engine, other, asked)).lines, [
      "Detected added table 'other.a'",
      "Detected added table 'other.b'",
    ]);
  });
});

/** Whether a column that was declared so must change to be of a type. */
async function mustChange(
  engine: Engine,
  declared: string,
  wanted: AnyColumn,
  options: CompareOptions = {},
): Promise<boolean> {
  await rowsOf(
    engine,
    `CREATE TABLE t (id INTEGER PRIMARY KEY, c ${declared} NOT NULL)`,
  );
  try {
    const { lines } = await found(engine, one({ c: wanted }), options);
    return lines.some((line) => line.includes("type change"));
  } finally {
    await rowsOf(engine, "DROP TABLE t");
  }
}

Deno.test("migrate 155: types differ by name, length and precision, not by what only one side says", async () => {
  const money = typeDecorator<string, number>(integer(), {
    processBindParam: Number,
    processResultValue: String,
  });
  await onBoth(async (engine, name) => {
    const isPostgres = name === "postgres";
    const cases: [string, AnyColumn, boolean][] = [
      ["VARCHAR(30)", varchar(30), false],
      ["VARCHAR(30)", varchar(40), true],
      ["VARCHAR", varchar(30), false],
      ["TEXT", varchar(255), true],
      ["TEXT", text(), false],
      ["INTEGER", integer(), false],
      ["INT", integer(), false],
      ["SMALLINT", integer(), true],
      ["BIGINT", bigint(), false],
      ["INTEGER", text(), true],
      ["INTEGER", column(money), false],
      ["TEXT", column(money), true],
      ["BOOLEAN", boolean(), false],
      ["DOUBLE PRECISION", real(), false],
      ...(isPostgres
        ? [
          ["DECIMAL(10,5)", numeric(10), false],
          ["DECIMAL(10)", numeric(10), false],
          ["DECIMAL(10,5)", numeric(), false],
          ["DECIMAL(10,5)", numeric(10, 5), false],
          ["DECIMAL(10,5)", numeric(10, 6), true],
          ["TIMESTAMP WITH TIME ZONE", timestamp(), false],
          ["TIMESTAMP", timestamp(), true],
          ["JSONB", json(), false],
          ["JSON", json(), true],
          ["DATE", date(), false],
        ] as [string, AnyColumn, boolean][]
        : [
          ["DATETIME", timestamp(), false],
          ["", text(), false],
          ["NUMERIC", integer(), true],
        ] as [string, AnyColumn, boolean][]),
    ];
    for (const [declared, wanted, isOther] of cases) {
      const { name: type, args } = wanted.spec.type;
      equal(
        await mustChange(engine, declared, wanted),
        isOther,
        `${name}: ${declared} and ${type}(${args})`,
      );
    }
  });
});

Deno.test("migrate 156: compareType settles by true and false, and leaves it to the comparison by undefined", async () => {
  await using engine = memoryEngine();
  const asked = (declared: string, answer: boolean | undefined) =>
    mustChange(engine, declared, integer(), { compareType: () => answer });
  equal(await asked("INTEGER", true), true);
  equal(await asked("TEXT", false), false);
  equal(await asked("INTEGER", undefined), false);
  equal(await asked("TEXT", undefined), true);
  equal(
    await mustChange(engine, "TEXT", integer(), { compareType: false }),
    false,
  );
});

Deno.test("migrate 157: defaults are compared when it is asked for, by what they mean and not how they are spelt", async () => {
  await onBoth(async (engine, name) => {
    const differs = async (
      declared: string,
      wanted: AnyColumn,
      compareServerDefault: CompareOptions["compareServerDefault"] = true,
    ) => {
      await rowsOf(
        engine,
        `CREATE TABLE t (id INTEGER PRIMARY KEY, c ${declared} NOT NULL)`,
      );
      try {
        return (await found(engine, one({ c: wanted }), {
          compareServerDefault,
          compareType: false,
        })).lines.some((line) => line.includes("server default"));
      } finally {
        await rowsOf(engine, "DROP TABLE t");
      }
    };
    const same: [string, AnyColumn][] = [
      ["INTEGER DEFAULT 5", integer().serverDefault(5)],
      ["INTEGER DEFAULT (5)", integer().serverDefault("5")],
      ["INTEGER DEFAULT '5'", integer().serverDefault(text("5"))],
      ["INTEGER DEFAULT -5", integer().serverDefault(-5)],
      ["DOUBLE PRECISION DEFAULT 1.50", real().serverDefault(1.5)],
      ["TEXT DEFAULT 'it''s'", text().serverDefault("it's")],
      ["TEXT DEFAULT 'x'", text().serverDefault(text("'x'"))],
      ["BOOLEAN DEFAULT true", boolean().serverDefault(true)],
      [
        "TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
        timestamp().serverDefault(text("current_timestamp")),
      ],
      ...(name === "postgres"
        ? [
          [
            "TIMESTAMPTZ DEFAULT now()",
            timestamp().serverDefault(text("NOW()")),
          ],
          [
            "UUID DEFAULT gen_random_uuid()",
            uuid().serverDefault(text("gen_random_uuid()")),
          ],
          ["INTERVAL DEFAULT '14 days'", interval().serverDefault("14 days")],
          [
            "INTERVAL DEFAULT '14 days'",
            interval().serverDefault(text("interval '14 days'")),
          ],
          ["TEXT DEFAULT 'a' || 'b'", text().serverDefault(text("'a' || 'b'"))],
          ["JSONB DEFAULT '{}'", json().serverDefault("{}")],
        ] as [string, AnyColumn][]
        : [
          ["BOOLEAN DEFAULT 1", boolean().serverDefault(true)],
        ] as [string, AnyColumn][]),
    ];
    for (const [declared, wanted] of same) {
      equal(await differs(declared, wanted), false, `${name}: ${declared}`);
    }
    const other: [string, AnyColumn][] = [
      ["INTEGER DEFAULT 5", integer().serverDefault(6)],
      ["INTEGER DEFAULT 5", integer()],
      ["INTEGER", integer().serverDefault(5)],
      ["TEXT DEFAULT 'x'", text().serverDefault("X")],
      ["BOOLEAN DEFAULT true", boolean().serverDefault(false)],
    ];
    for (const [declared, wanted] of other) {
      equal(await differs(declared, wanted), true, `${name}: ${declared}`);
      equal(await differs(declared, wanted, false), false);
      equal(await differs(declared, wanted, () => false), false);
      equal(await differs(declared, wanted, () => undefined), true);
    }
    equal(await differs("INTEGER", integer(), () => true), true);
  });
});

Deno.test("migrate 158: a serial key's own sequence is no default, a sequence of another kind is", async () => {
  await onPostgres(async (engine) => {
    await rowsOf(engine, "CREATE TABLE t (id SERIAL PRIMARY KEY)");
    const options = { compareServerDefault: true };
    deepEqual((await found(engine, one(), options)).lines, []);
    await rowsOf(engine, "DROP TABLE t");
    await rowsOf(engine, "CREATE SEQUENCE numbers");
    await rowsOf(
      engine,
      "CREATE TABLE t (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n INTEGER NOT NULL DEFAULT nextval('numbers'))",
    );
    const numbered = one({
      n: integer().serverDefault(text("nextval('numbers')")),
    });
    deepEqual((await found(engine, numbered, options)).lines, []);
    deepEqual((await found(engine, one({ n: integer() }), options)).lines, [
      "Detected server default on 't.n'",
    ]);
  });
});

Deno.test("migrate 159: a changed expression is only told, a computed column comes and goes, an identity is altered", async () => {
  await onBoth(async (engine) => {
    const computed = (expression: string) =>
      one({
        a: integer(),
        b: integer().computed(text(expression), { stored: true }).nullable(),
      });
    const changed = await between(engine, computed("a * 2"), computed("a * 3"));
    deepEqual(changed.lines, []);
    match(changed.remarks[0]!, /computed column 't.b' differs/);
    deepEqual(
      (await between(engine, computed("a * 2"), computed("a * 2"))).remarks,
      [],
    );
    const plain = one({ a: integer(), b: integer().nullable() });
    for (
      const [from, to] of [[plain, computed("a * 2")], [
        computed("a * 2"),
        plain,
      ]] as const
    ) {
      deepEqual((await between(engine, from, to)).lines, [
        "Detected removed column 't.b'",
        "Detected added column 't.b'",
      ]);
    }
  });
  await onPostgres(async (engine) => {
    const kinds = [
      integer(),
      integer().identity(),
      integer().identity("always"),
    ] as const;
    for (const from of kinds) {
      for (const to of kinds) {
        const { operations } = await between(
          engine,
          one({ n: from }),
          one({ n: to }),
        );
        const expected = from === to
          ? []
          : [{ identity: to.spec.identity ?? null }];
        const alters = operations.flatMap((operation) =>
          operation.kind === "alterTable" ? operation.changes : []
        );
        deepEqual(
          alters.map((change) =>
            change.kind === "alterColumn" ? change.changes : change
          ),
          expected,
        );
      }
    }
    // A key that numbers itself says so by nothing.
    const named = metadataOf((m) =>
      table("t", m, { id: integer().primaryKey({ autoincrement: false }) })
    );
    deepEqual((await between(engine, named, one())).lines, [
      "Detected identity change on 't.id'",
    ]);
  });
});

Deno.test("migrate 160: what a key allows is the key's affair, and every alteration knows what was there", async () => {
  await onBoth(async (engine) => {
    const key = (isNullable: boolean) =>
      metadataOf((m) => {
        const code = text().primaryKey();
        table("t", m, { code: isNullable ? code.nullable() : code });
      });
    deepEqual((await between(engine, key(false), key(true))).lines, []);
    deepEqual((await between(engine, key(true), key(false))).lines, []);
    const { operations } = await between(
      engine,
      one({ c: text(20).serverDefault("x") }),
      one({ c: text(30).nullable().serverDefault("x") }),
    );
    const [alter] = operations;
    ok(alter?.kind === "alterTable");
    const { spec } = alter.original!.column("c");
    deepEqual(
      [spec.type.args, spec.nullable, spec.serverDefault],
      [[20], false, "x"],
    );
  });
});

Deno.test("migrate 161: an index that differs in anything is dropped and made anew, and one that cannot be compared is told", async () => {
  await onBoth(async (engine, name) => {
    const columns = { a: integer(), b: text() };
    const lines = async (from: Constraint, to: Constraint) =>
      (await between(engine, one(columns, [from]), one(columns, [to]))).lines;
    const ix = (
      parts: Parameters<typeof index>[1],
      more: Parameters<typeof index>[2] = {},
    ) => index("ix", parts, more);
    const anew = (to: string) => [
      "Detected removed index 'ix' on 't' (a, b)",
      `Detected added index 'ix' on 't' (${to})`,
    ];
    const ab = ix(["a", "b"]);
    deepEqual(await lines(ab, ab), []);
    deepEqual(await lines(ab, ix(["b", "a"])), anew("b, a"));
    deepEqual(await lines(ab, ix(["a"])), anew("a"));
    deepEqual(await lines(ab, ix(["a", text("b").desc()])), anew("a, …"));
    deepEqual(await lines(ab, ix(["a", "b"], { unique: true })), anew("a, b"));
    deepEqual(
      await lines(ab, ix(["a", "b"], { where: text("a > 0") })),
      anew("a, b"),
    );
    deepEqual(await lines(ab, index("other", ["a", "b"])), [
      "Detected removed index 'ix' on 't' (a, b)",
      "Detected added index 'other' on 't' (a, b)",
    ]);
    const lower = ix([text("lower(b)")]);
    deepEqual(await lines(lower, lower), []);
    deepEqual(await lines(lower, ix([text("LOWER( b )")])), []);
    deepEqual(await lines(lower, ix([text("upper(b)")])), [
      "Detected removed index 'ix' on 't' (…)",
      "Detected added index 'ix' on 't' (…)",
    ]);
    if (name === "postgres") {
      const among = one(columns, [
        ix(["a"], { where: text("a IN (1, 2) AND b LIKE 'x%'") }),
      ]);
      const { lines, remarks } = await between(engine, among, among);
      deepEqual(lines, []);
      match(remarks[0]!, /Index 'ix' may differ/);
    }
  });
});

Deno.test("migrate 162: unique flags, named constraints and unique indexes are told apart, and matched by what they are", async () => {
  await onBoth(async (engine, name) => {
    const flag = one({ a: text().unique() });
    const named = one({ a: text() }, [unique(["a"], "uq_a")]);
    const asIndex = one({ a: text() }, [
      index("ix_a", ["a"], { unique: true }),
    ]);
    const lines = async (from: MetaData, to: MetaData) =>
      (await between(engine, from, to)).lines;
    for (const same of [flag, named, asIndex]) {
      deepEqual(await lines(same, same), []);
    }
    // Without a name it is whatever is unique over its columns.
    deepEqual(await lines(named, flag), []);
    deepEqual(await lines(flag, named), [
      "Detected removed unique constraint 't_a_key' on 't' (a)",
      "Detected added unique constraint 'uq_a' on 't' (a)",
    ]);
    deepEqual(await lines(named, asIndex), [
      "Detected removed unique constraint 'uq_a' on 't' (a)",
      "Detected added index 'ix_a' on 't' (a)",
    ]);
    deepEqual(await lines(asIndex, flag), [
      "Detected removed index 'ix_a' on 't' (a)",
      "Detected added unique constraint 't_a_key' on 't' (a)",
    ]);
    deepEqual(
      await lines(
        named,
        one({ a: text(), b: text() }, [
          unique(["a", "b"], "uq_a"),
        ]),
      ),
      [
        "Detected added column 't.b'",
        "Detected removed unique constraint 'uq_a' on 't' (a)",
        "Detected added unique constraint 'uq_a' on 't' (a, b)",
      ],
    );
    const long = "u".repeat(70);
    const wide = one({ a: text(), b: text() }, [
      unique(["a"], long),
      index(`Ix_${long}`, ["b"]),
      index("MixedCase", ["a", "b"]),
    ]);
    deepEqual(await lines(wide, wide), [], name);
  });
});

Deno.test("migrate 163: foreign keys are matched by what they say, and what differs is dropped first", async () => {
  await onBoth(async (engine) => {
    const model = (
      fill: readonly Constraint[] = [],
      target = "users",
    ) =>
      metadataOf((m) => {
        table(target, m, { id: integer().primaryKey(), code: text() }, [
          unique(["id", "code"], "uq_code"),
        ]);
        table("t", m, {
          id: integer().primaryKey(),
          userId: integer().named("user_id"),
          code: text(),
        }, fill);
      });
    const lines = async (
      from: readonly Constraint[],
      to: readonly Constraint[],
      target?: string,
    ) => (await between(engine, model(from, target), model(to, target))).lines;
    const plain = foreignKey(["userId"], ["users.id"]);
    const named = foreignKey(["userId"], ["users.id"], { name: "fk_user" });
    const both = foreignKey(["userId", "code"], ["users.id", "users.code"]);
    const turned = foreignKey(["code", "userId"], ["users.code", "users.id"]);
    deepEqual(await lines([plain], [plain]), []);
    deepEqual(await lines([plain], [named]), []);
    deepEqual(await lines([both], [both]), []);
    deepEqual(await lines([both], [turned]), []);
    const KEY = "foreign key 't_user_id_fkey' (user_id) to (users.id) on 't'";
    deepEqual(await lines([], [plain]), [`Detected added ${KEY}`]);
    deepEqual(await lines([plain], []), [`Detected removed ${KEY}`]);
    for (
      const options of [
        { onDelete: "cascade" },
        { onDelete: "restrict" },
        { onUpdate: "set null" },
        { deferrable: true },
        { deferrable: true, initiallyDeferred: true },
      ] as const
    ) {
      const other = foreignKey(["userId"], ["users.id"], options);
      deepEqual(await lines([other], [other]), [], JSON.stringify(options));
      deepEqual(await lines([plain], [other]), [
        `Detected removed ${KEY}`,
        `Detected added ${KEY}`,
      ]);
    }
    const none = foreignKey(["userId"], ["users.id"], {
      onDelete: "no action",
    });
    deepEqual(await lines([plain], [none]), []);
    deepEqual(await lines([none], [plain]), []);
    const cased = foreignKey(["userId"], ["Users.id"]);
    deepEqual(await lines([cased], [cased], "Users"), []);
  });
});

Deno.test("migrate 164: checks are matched by name, unnamed ones and those of types are left alone, all can be left out", async () => {
  await onBoth(async (engine) => {
    const columns = { a: integer(), b: text() };
    const model = (...checks: readonly Constraint[]) => one(columns, checks);
    const lines = async (
      from: MetaData,
      to: MetaData,
      options: CompareOptions = {},
    ) => (await between(engine, from, to, options)).lines;
    const positive = check(text("a > 0"), "ck_a");
    deepEqual(await lines(model(), model(positive)), [
      "Detected added check constraint 'ck_a' on 't'",
    ]);
    deepEqual(await lines(model(positive), model()), [
      "Detected removed check constraint 'ck_a' on 't'",
    ]);
    deepEqual(
      await lines(model(positive), model(check(text("a > 1"), "ck_a"))),
      [],
    );
    const unnamed = check(text("a > 2"));
    deepEqual(await lines(model(unnamed), model(unnamed)), []);
    deepEqual(await lines(model(), model(unnamed)), []);
    deepEqual(
      await lines(model(positive), model(), {
        comparators: ["*", "~checks"],
      }),
      [],
    );
  });
});

Deno.test("migrate 165: remarks on tables and columns come, change and go, where the database keeps any", async () => {
  await onBoth(async (engine, name) => {
    const model = (ofTable?: string, ofColumn?: string) =>
      one(
        {
          c: ofColumn === undefined ? integer() : integer().comment(ofColumn),
        },
        [],
        ofTable === undefined ? {} : { comment: ofTable },
      );
    const lines = async (from: MetaData, to: MetaData) =>
      (await between(engine, from, to)).lines;
    const both = [
      "Detected comment change on 't.c'",
      "Detected changed comment of table 't'",
    ];
    const expected = name === "postgres" ? both : [];
    deepEqual(await lines(model("a", "b"), model("a", "b")), []);
    deepEqual(await lines(model(), model("a", "b")), expected);
    deepEqual(await lines(model("a", "b"), model("it's", "c")), expected);
    deepEqual(
      await lines(model("a", "b"), model()),
      name === "postgres"
        ? [both[0], "Detected removed comment of table 't'"]
        : [],
    );
  });
});

Deno.test("migrate 166: several metadata are one, a table in two of them is refused, and none of them drops all", async () => {
  await using engine = memoryEngine();
  const users = metadataOf((m) =>
    table("users", m, { id: integer().primaryKey() })
  );
  const posts = metadataOf((m) =>
    table("posts", m, {
      id: integer().primaryKey(),
      userId: integer().references("users.id"),
    })
  );
  deepEqual((await found(engine, [posts, users])).lines, [
    "Detected added table 'users'",
    "Detected added table 'posts'",
  ]);
  await rejects(
    found(engine, [users, posts, users]),
    /Cannot compare table 'users': two of the metadata describe it/,
  );
  deepEqual((await between(engine, users, [])).lines, [
    "Detected removed table 'users'",
  ]);
});

Deno.test("a primary key that differs is told and left to the author", async () => {
  await onBoth(async (engine) => {
    const other = metadataOf((m) =>
      table("t", m, { id: integer(), b: integer() }, [primaryKey(["id", "b"])])
    );
    const { lines, remarks } = await between(
      engine,
      one({ b: integer() }),
      other,
    );
    deepEqual(lines.filter((line) => !line.includes("identity")), []);
    match(
      remarks[0]!,
      /primary key of table 't' is \(id\) and should be \(id, b\)/,
    );
  });
});

Deno.test("tables of a convention are described by the names it gives", async () => {
  await onBoth(async (engine) => {
    const naming = {
      unique: "uq_{table}_{columns}",
      foreignKey: "fk_{table}_{columns}_{referred}",
      check: "ck_{table}_{name}",
      primaryKey: "pk_{table}",
      index: "idx_{table}_{columns}",
    };
    const model = new MetaData({ naming });
    table("t", model, {
      id: integer().primaryKey(),
      a: text().unique(),
      b: text().index(),
      c: integer().references("t.id").nullable(),
    }, [check(text("id > 0"), "positive")]);
    deepEqual((await between(engine, model, model)).lines, []);
    const { operations } = await found(engine, model);
    const { body } = renderOperations(operations, { dialect: engine.dialect });
    for (
      const name of ["uq_t_a", "idx_t_b", "fk_t_c_t", "ck_t_positive", "pk_t"]
    ) ok(body.includes(`"${name}"`), body);
    // Under the same convention nothing needs to be said.
    const short = await found(engine, model, { naming });
    const written = renderOperations(short.operations, {
      dialect: engine.dialect,
    }).body;
    ok(written.includes("a: text().unique(),"), written);
    ok(written.includes("b: text().index(),"), written);
  });
});

Deno.test("a name that a convention decorates is not decorated twice, in new tables and old ones", async () => {
  await onBoth(async (engine) => {
    const naming = {
      check: "ck_{table}_{name}",
      unique: "uq_{table}_{columns}",
    };
    const model = (...checks: string[]) => {
      const metadata = new MetaData({ naming });
      table("t", metadata, { id: integer().primaryKey(), a: text().unique() }, [
        ...checks.map((name) => check(text("id > 0"), name)),
      ]);
      return metadata;
    };
    const revisions: Revision[] = [];
    const migrator = () => createMigrator({ revisions, engine, naming });
    for (const metadata of [model("one"), model("one", "two"), model("two")]) {
      const { operations } = await autogenerate(migrator(), metadata);
      const down = revisions.at(-1)?.revision ?? null;
      revisions.push(revision({
        revision: `r${revisions.length}aaaaaa`,
        downRevision: down,
        upgrade: (op) => operations.forEach((one) => op.invoke(one)),
        downgrade: "reverse",
      }));
      await migrator().upgrade();
      deepEqual((await autogenerate(migrator(), metadata)).operations, []);
    }
    await migrator().downgrade("base");
  });
});
