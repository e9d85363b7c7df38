/** From any schema to any other and back, on each database. */
import { PGlite } from "@electric-sql/pglite";
import fc from "fast-check";
import { deepEqual } from "node:assert/strict";
import { pglite } from "../../backends/pglite.ts";
import {
  autogenerate,
  createMigrator,
  describeOperations,
  type Operation,
  type Operations,
  renderOperations,
  type Revision,
  revision,
} from "../../migrate/mod.ts";
import * as core from "../../sql/mod.ts";
import { createEngine, type Engine, type MetaData } from "../../sql/mod.ts";
import { memoryEngine, rowsOf, startD1 } from "./databases.ts";
import { anyMetadata } from "./schemas.ts";

/** Runs source as a revision file would, with the Core in scope. */
function recording(body: string): (op: Operations) => void {
  return new Function("op", ...Object.keys(core), body).bind(
    undefined,
  ) as (op: Operations, ...all: unknown[]) => void;
}

function revisionOf(
  id: string,
  down: string | null,
  body: string,
): Revision {
  const run = recording(body) as (op: Operations, ...all: unknown[]) => void;
  return revision({
    revision: id,
    downRevision: down,
    upgrade: (op) => run(op, ...Object.values(core)),
    downgrade: "reverse",
  });
}

interface Case {
  readonly before: MetaData;
  readonly after: MetaData;
  /** Whether the schema before was made by revisions, or by `createAll`. */
  readonly isDescribed: boolean;
  /** Whether each thing that may have been renamed was. */
  readonly renames: readonly boolean[];
  [fc.toStringMethod](): string;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  before: anyMetadata,
  after: anyMetadata,
  isDescribed: fc.boolean(),
  renames: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
}).map((made) => ({
  ...made,
  [fc.toStringMethod]: () =>
    JSON.stringify(
      {
        isDescribed: made.isDescribed,
        renames: made.renames,
        before: core.createStatements(made.before, core.sqlite),
        after: core.createStatements(made.after, core.sqlite),
      },
      null,
      2,
    ),
}));

const OPTIONS = { compareServerDefault: true };

/**
 * What the database itself tells of its tables, without what two ways to one
 * schema may differ in: the order of things, and names that nobody gave.
 */
async function factsOf(engine: Engine): Promise<unknown> {
  const { tables } = await core.inspect(engine);
  const sorted = (all: readonly unknown[]) =>
    all.map((one) => JSON.stringify(one)).sort();
  return tables.filter(({ name }) => !name.startsWith("aludel_")).map((
    {
      name,
      comment,
      columns,
      uniques,
      foreignKeys,
      indexes,
      checks,
      primaryKey,
    },
  ) => ({
    name,
    comment,
    primaryKey: primaryKey.columns,
    columns: sorted(columns.map(({ default: text, type, ...one }) => ({
      ...one,
      // In SQLite the name of an enumeration is that of its column.
      labels: type.name === "enum" ? type.args.slice(1) : [],
      default: text?.replaceAll(/::[\w ".]+(\(\d+\))?|[()]/g, ""),
    }))),
    uniques: sorted(uniques.map(({ columns }) => [...columns].sort())),
    foreignKeys: sorted(foreignKeys.map(({ name: _, ...key }) => key)),
    indexes: sorted([...indexes]),
    // Unnamed ones are the author's.
    checks: sorted(
      checks.map((one) => one.name).filter((one) => one?.match(/_k\d$/)),
    ),
  }));
}

async function hold(
  empty: () => Promise<Engine> | Engine,
  { before, after, isDescribed, renames }: Case,
): Promise<void> {
  const facts = [];
  for (const metadata of [before, after]) {
    const engine = await empty();
    await metadata.createAll(engine);
    facts.push(await factsOf(engine));
  }
  const engine = await empty();
  const revisions: Revision[] = [];
  const migrator = () => createMigrator({ revisions, engine });
  const found = async (metadata: MetaData) =>
    describeOperations(
      (await autogenerate(migrator(), metadata, {
        ...OPTIONS,
        decideRename: () => null,
      })).operations,
    );
  const write = (id: string, operations: readonly Operation[]) => {
    const { body } = renderOperations(operations, {
      dialect: engine.dialect,
      known: migrator().planner.schema(
        revisions.map((one) => one.revision).slice(-1),
      ),
    });
    revisions.push(revisionOf(id, revisions.at(-1)?.revision ?? null, body));
  };

  if (isDescribed) {
    const first = await autogenerate(migrator(), before, OPTIONS);
    write("aaaa", first.operations);
    await migrator().upgrade("head");
  } else {
    await before.createAll(engine);
  }
  deepEqual(await found(before), [], "what was made is as it was meant");

  let asked = 0;
  const { operations } = await autogenerate(migrator(), after, {
    ...OPTIONS,
    decideRename: ({ candidates }) =>
      renames[asked++ % renames.length] ? candidates[0]! : null,
  });
  write("bbbb", operations);
  await migrator().upgrade("head");
  deepEqual(await found(after), [], "the upgrade leads to the model");
  deepEqual(await factsOf(engine), facts[1]);

  await migrator().downgrade("-1");
  if (isDescribed) revisions.pop();
  else revisions.length = 0;
  deepEqual(await found(before), [], "the downgrade leads back");
  deepEqual(await factsOf(engine), facts[0]);
}

Deno.test("autogenerate() leads from any schema to any other and back, on SQLite", async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (made) => {
      await using engines = new AsyncDisposableStack();
      await hold(() => engines.use(memoryEngine()), made);
    }),
    { numRuns: 150 },
  );
});

Deno.test("autogenerate() leads from any schema to any other and back, on Postgres", async () => {
  await using engine = createEngine(pglite(new PGlite()));
  const empty = async () => {
    await rowsOf(engine, "DROP SCHEMA public CASCADE");
    await rowsOf(engine, "CREATE SCHEMA public");
    return engine;
  };
  await fc.assert(
    fc.asyncProperty(anyCase, (made) => hold(empty, made)),
    { numRuns: 60 },
  );
});

Deno.test("autogenerate() leads from some schemas to others and back, on D1", async () => {
  const cases = fc.sample(anyCase, { numRuns: 4, seed: 7 });
  const names = cases.flatMap((_, at) => [`${at}a`, `${at}b`, `${at}c`]);
  await using databases = await startD1(...names);
  for (const made of cases) {
    await hold(() => databases.engine(names.shift()!), made);
  }
});
