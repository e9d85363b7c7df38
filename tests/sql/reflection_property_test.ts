import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import { deepStrictEqual } from "node:assert/strict";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  boolean,
  check,
  type ColumnBuilder,
  type Constraint,
  createEngine,
  createStatements,
  dropAll,
  type Engine,
  index,
  integer,
  MetaData,
  Raw,
  real,
  reflect,
  table,
  text,
  unique,
} from "../../sql/mod.ts";

// Names and texts as unkind as they may be; Postgres takes 63 bytes of a name.
const odd = fc.string({
  unit: fc.constantFrom(..."aB1_ ,()'\"`[];-/*%?$.👍ü"),
  minLength: 1,
  maxLength: 12,
});

type Described = ColumnBuilder<unknown, boolean>;

const column: fc.Arbitrary<Described> = fc.tuple(
  fc.oneof(
    odd.map((value): Described => text().serverDefault(value)),
    fc.constant(text(20) as Described),
    fc.integer().map((value): Described => integer().serverDefault(value)),
    fc.constantFrom(0.5, -1.25, 1000.125).map((value): Described =>
      real().serverDefault(value)
    ),
    fc.boolean().map((value): Described => boolean().serverDefault(value)),
  ),
  fc.boolean(),
).map(([made, nullable]) => nullable ? made.nullable() : made);

const schema = fc.record({
  tables: fc.uniqueArray(odd, { minLength: 1, maxLength: 3 }),
  names: fc.uniqueArray(odd.filter((name) => name !== "id"), {
    minLength: 2,
    maxLength: 5,
  }),
  columns: fc.array(column, { minLength: 5, maxLength: 5 }),
  label: odd,
});

function build(
  { tables, names, columns, label }: typeof schema extends
    fc.Arbitrary<infer Value> ? Value : never,
): MetaData {
  const metadata = new MetaData();
  tables.forEach((name, n) => {
    const [first = "", second = ""] = names;
    const constraints: Constraint[] = [
      unique([first, second], `u${n}${label}`),
      check(new Raw("id > 0"), `c${n}${label}`),
      index(`i${n}${label}`, [second, first], { unique: n === 1 }),
      index(`p${n}${label}`, [first], { where: new Raw("id > 10") }),
    ];
    table(
      name,
      metadata,
      Object.fromEntries([
        ["id", integer().primaryKey()],
        ...names.map((one, i) => [one, columns[i] ?? text()] as const),
      ]),
      constraints,
    );
  });
  return metadata;
}

async function holds(engine: Engine, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(schema, async (described) => {
      const metadata = build(described);
      await metadata.createAll(engine);
      const ddl = (one: MetaData) =>
        createStatements(one, engine.dialect).map((sql) =>
          // Postgres gives every key a name.
          sql.replaceAll(
            /CONSTRAINT "(?:[^"]|"")*" PRIMARY KEY/g,
            "PRIMARY KEY",
          )
        ).sort();

      try {
        deepStrictEqual(ddl(await reflect(engine)), ddl(metadata));
      } finally {
        await dropAll(metadata, engine);
      }
    }),
    { numRuns },
  );
}

Deno.test("any schema, whatever its names and defaults, comes back from SQLite as it was made", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await holds(engine, 200);
});

Deno.test("any schema, whatever its names and defaults, comes back from Postgres as it was made", async () => {
  await using engine = createEngine(pglite(new PGlite()));
  await holds(engine, 60);
});
