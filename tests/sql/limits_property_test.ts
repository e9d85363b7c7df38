/** D1 with its limits answers as SQLite without them, whatever is asked. */
import fc from "fast-check";
import { deepStrictEqual } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  and,
  avg,
  between,
  bigint,
  blob,
  caseWhen,
  coalesce,
  concat,
  createEngine,
  deleteFrom,
  dividedBy,
  except,
  excluded,
  type Expression,
  ilike,
  insert,
  integer,
  intersect,
  literal,
  MetaData,
  minus,
  not,
  onConflictDoNothing,
  onConflictDoUpdate,
  or,
  over,
  plus,
  real,
  type Select,
  select,
  type Statement,
  subquery,
  table,
  text,
  times,
  tuple,
  union,
  unionAll,
  update,
} from "../../sql/mod.ts";
import { startWorkerd } from "../services/workerd.ts";

const workerd = await startWorkerd({ d1: ["DB"] });
Deno.test.afterAll(() => workerd.dispose());

const limited = createEngine(d1(workerd.d1("DB")));
const free = createEngine(sqlite(":memory:"));

const metadata = new MetaData();
const things = table("things", metadata, {
  id: integer().primaryKey(),
  n: integer().nullable(),
  big: bigint().nullable(),
  s: text().nullable(),
  r: real().nullable(),
  b: blob().nullable(),
});
const { id, n, s, r, b } = things.c;
for (const engine of [limited, free]) await metadata.createAll(engine);

/** Both answer alike; what is too much in any words (text, steps of its program) is none of it. */
async function alike(statement: Statement<unknown>): Promise<void> {
  const answer = async (engine: typeof limited) => {
    const rows = await engine.execute(statement).catch((cause) => {
      fc.pre(!/its text has|out of memory/.test(String(cause)));
      const { sql } = free.prepare(statement);
      throw new Error(sql.slice(0, 2000), { cause });
    });
    return { rows: [...rows], written: rows.rowCount };
  };
  const [one, other] = [await answer(limited), await answer(free)];
  deepStrictEqual(one.rows, other.rows);
  if (!statement.isRead) deepStrictEqual(one.written, other.written);
}

// Few characters, so that patterns find something: wild ones, those that are
// written with others, and those of several bytes.
const character = fc.constantFrom(..."aAbé😀%_/!'\"\\ ");
const known = fc.constantFrom(
  "abÀ_100%/" + "lorem ipsum ".repeat(5),
  "a".repeat(55),
  "😀é!".repeat(20) + "_%",
);
const word = fc.oneof(
  known,
  fc.string({ unit: character, maxLength: 70 }),
);
// What JSON cannot say exactly is beyond 1e±50.
const double = fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((x) =>
  Math.abs(x) < 1e-40 ? 0 : x
);
const small = fc.integer({ min: -3, max: 40 });
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { freq: 4 });
const thing = fc.record({
  n: maybe(small),
  big: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  s: maybe(word),
  r: maybe(double),
  b: maybe(fc.uint8Array({ maxLength: 5 })),
});
const things0 = fc.array(thing, { minLength: 20, maxLength: 20 });

/** A list whose length is often over a limit. */
const long = <T>(one: fc.Arbitrary<T>, most: number, least = 1) =>
  fc.oneof(
    fc.array(one, { minLength: least, maxLength: Math.max(least, 8) }),
    fc.array(one, { minLength: most >> 1, maxLength: most, size: "max" }),
  );

/** A text in which some characters became wild, or are written in capitals. */
const pattern = fc.tuple(
  word,
  fc.array(fc.tuple(fc.nat(70), fc.nat(8)), { maxLength: 6 }),
  fc.constantFrom(undefined, "/", "!"),
).map(([of, changes, escape]) => {
  const pieces = [...of].map((one) =>
    escape && [escape, "%", "_"].includes(one) ? escape + one : one
  );
  for (const [at, length] of changes) {
    const kind = length % 3;
    pieces.splice(
      at,
      kind ? length : 1,
      kind ? "%" : length ? "_" : pieces[at]?.toUpperCase() ?? "",
    );
  }
  return [pieces.join(""), escape] as const;
});

/** Values that JSON does not have as they are, more than there are parameters. */
const unlikeJson = long(
  fc.oneof(
    fc.tuple(double, small).map(([x, y]) =>
      dividedBy(
        literal(x, real().spec.type),
        id as Expression<unknown> as Expression<number>,
      ).lt(y)
    ),
    fc.integer({ min: -9, max: 9 }).map((x) =>
      dividedBy(literal(x, real().spec.type), 2).gt(n as Expression<number>)
    ),
    fc.uint8Array({ maxLength: 2 }).map((x) => b.eq(x)),
  ),
  200,
);

const leaf: fc.Arbitrary<Expression<boolean>> = fc.oneof(
  small.map((x) => n.eq(x)),
  small.map((x) => plus(id, 1).lt(x)),
  double.map((x) => r.lt(x)),
  fc.array(double, { maxLength: 4 }).map((list) => r.in(list)),
  fc.array(small, { maxLength: 200 }).map((list) => n.notIn(list)),
  fc.array(fc.uint8Array({ maxLength: 2 }), { maxLength: 4 }).map((list) =>
    b.in(list)
  ),
  fc.tuple(small, small).map(([low, high]) => between(n, low, high)),
  long(fc.tuple(small, small), 150).map((pairs) => tuple(id, n).in(pairs)),
  pattern.map(([like, escape]) => s.like(like, escape)),
  pattern.map(([like, escape]) => ilike(s, like, escape)),
  small.map(() => s.isNull()),
);

const condition: fc.Arbitrary<Expression<boolean>> = fc.letrec<
  { tree: Expression<boolean> }
>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    long(tie("tree"), 12).map((all) => and(...all)),
    long(tie("tree"), 12).map((all) => or(...all)),
    tie("tree").map((one) => not(one)),
    long(leaf, 220).map((all) => or(...all)),
    unlikeJson.map((all) => or(...all)),
    unlikeJson.map((all) => and(...all.map((one) => not(one)))),
    long(leaf, 220).map((all) => and(...all.map((one) => not(one)))),
  ),
})).tree;

/** Chains of operators, more than an expression may be deep. */
const chain = fc.oneof(
  long(small, 300).map((all) =>
    all.reduce<Expression<number | null>>((so, x) => plus(so, x), n)
  ),
  fc.nat(300).map((count) =>
    Array.from({ length: count }).reduce<Expression<number>>(
      (so) => plus(so, id),
      times(id, 2),
    )
  ),
  fc.nat(200).map((count) =>
    Array.from({ length: count }).reduce<Expression<number>>(
      (so, _, i) => times(so, i % 9 === 0 ? -1 : 1),
      id,
    )
  ),
  long(small, 120).map((all) => coalesce(n, ...all as [number, number])),
  long(fc.tuple(small, small), 130).map((all) =>
    all.reduce(
      (so, [x, y]) => so.when(n.eq(x), y),
      caseWhen<number>(n.isNull(), -9),
    ).else(0)
  ),
);

const textChain = fc.oneof(
  long(word, 130).map((all) =>
    all.reduce<Expression<string>>((so, x) => concat(so, x), literal(""))
  ),
  fc.nat(200).map((count) =>
    Array.from({ length: count }).reduce<Expression<string>>(
      (so, _, i) => concat(so, i % 2 ? coalesce(s, "-") : `${i}`),
      literal(""),
    )
  ),
);

const cell: fc.Arbitrary<Expression<unknown>> = fc.oneof(
  fc.constantFrom(...things.columns, over(avg(n), { partitionBy: [s] })),
  small.map((x) => literal(x)),
  word.map((x) => literal(x)),
  double.map((x) => plus(r, x)),
  pattern.map(([like, escape]) => s.like(like, escape)),
  small.map((x) => minus(id, x)),
);

/** Names the seed and the first answer that differs; expressions are too long to print or shrink. */
const runs = {
  numRuns: Number(Deno.env.get("LIMIT_RUNS") ?? 25),
  endOnFailure: true,
  reporter({ failed, seed, counterexamplePath, errorInstance }: {
    readonly failed: boolean;
    readonly seed: number;
    readonly counterexamplePath: string | null;
    readonly errorInstance: unknown;
  }): void {
    if (!failed) return;
    throw new Error(`seed ${seed}, path "${counterexamplePath}"`, {
      cause: errorInstance,
    });
  },
};

async function refill(rows: readonly object[]): Promise<void> {
  for (const engine of [limited, free]) {
    await engine.execute(deleteFrom(things));
    await engine.execute(
      insert(things).values(
        rows.map((row, i) => ({ id: i + 1, ...row })) as [],
      ),
    );
  }
}

Deno.test("conditions of any size find on D1 what they find on SQLite", async () => {
  await fc.assert(
    fc.asyncProperty(things0, condition, async (rows, where) => {
      await refill(rows);
      await alike(select(things).where(where).orderBy(id));
    }),
    runs,
  );
});

Deno.test("chains of any length are on D1 what they are on SQLite", async () => {
  await fc.assert(
    fc.asyncProperty(
      things0,
      fc.array(fc.oneof(chain, textChain), { minLength: 1, maxLength: 3 }),
      async (rows, chains) => {
        await refill(rows);
        await alike(select(id, ...chains as []).orderBy(id));
      },
    ),
    runs,
  );
});

Deno.test("results of any width are on D1 what they are on SQLite", async () => {
  await fc.assert(
    fc.asyncProperty(things0, long(cell, 190), async (rows, cells) => {
      await refill(rows);
      await alike(select(id, ...cells as [], ...cells as []).orderBy(id));
      const keyed = Object.fromEntries(
        cells.flatMap((one, i) => [[`a${i}`, one], [`b${i}`, one]]),
      );
      const inner = subquery(select({ id, ...keyed }));
      await alike(
        select(inner).orderBy((inner.c as unknown as typeof things.c).id),
      );
    }),
    runs,
  );
});

Deno.test("set operations of any number of queries are on D1 what they are on SQLite", async () => {
  const operators = [union, unionAll, intersect, except];
  const term = fc.tuple(small, fc.nat(3)).map(([from, limit]) => {
    const query = select({ id, n }).where(id.gt(from));
    return limit > 0 ? query.orderBy(id.desc()).limit(limit) : query;
  });
  const set = fc.tuple(fc.constantFrom(...operators), long(term, 40, 2)).map(
    ([operator, [first, ...rest]]) => operator(first!, ...rest),
  );
  type Set = Select<{ id: number; n: number | null }>;
  const sets = fc.oneof(
    set,
    fc.tuple(fc.constantFrom(...operators), long(set, 9, 2)).map(
      ([operator, [first, ...rest]]) => operator(first as Set, ...rest),
    ),
  );
  await fc.assert(
    fc.asyncProperty(things0, sets, async (rows, all) => {
      await refill(rows);
      await alike(all.orderBy(all.c.id, all.c.n));
    }),
    runs,
  );
});

Deno.test("writes of any size leave on D1 what they leave on SQLite", async () => {
  const rowsOf = long(
    fc.tuple(fc.integer({ min: 1, max: 400 }), thing).map(([id, row]) => ({
      id,
      ...row,
    })),
    250,
  );
  const write: fc.Arbitrary<Statement<unknown>> = fc.oneof(
    rowsOf.map((rows) =>
      onConflictDoNothing(insert(things).values(rows)).returning(id)
    ),
    rowsOf.map((rows) =>
      onConflictDoUpdate(
        insert(things).values([
          ...new Map(rows.map((row) => [row.id, row])).values(),
        ]),
        {
          target: ["id"],
          set: { n: excluded(n), s: concat(things.c.s, "!"), b: excluded(b) },
          where: n.gt(3),
        },
      )
    ),
    fc.tuple(condition, chain).map(([where, value]) =>
      update(things).set({ n: value as Expression<number>, r: 0.5 })
        .where(where)
    ),
    condition.map((where) => deleteFrom(things).where(where)),
    fc.tuple(long(leaf, 300), small).map(([all, x]) =>
      deleteFrom(things).where(n.ne(x), or(...all))
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      things0,
      fc.array(write, { minLength: 1, maxLength: 4 }),
      async (rows, writes) => {
        await refill(rows);
        for (const one of writes) {
          await alike(one);
          await alike(select(things).orderBy(id));
        }
      },
    ),
    runs,
  );
});
