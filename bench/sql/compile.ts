// deno-lint-ignore-file no-console -- a bench prints what it measures
/**
 * How long a statement takes to become text: the first time, again, and by
 * Kysely for the same text. Ends with status 1 where a promise is not kept.
 *
 * ```
 * deno run -A bench/sql/compile.ts
 * ```
 *
 * @module
 */
import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "npm:kysely@0.29.9";
import {
  integer,
  MetaData,
  prepare,
  select,
  sqlite,
  table,
  text,
} from "../../sql/mod.ts";

const metadata = new MetaData();
const names = ["a", "b", "c", "d", "e", "f"] as const;
const named = (name: string) =>
  table(name, metadata, {
    id: integer().primaryKey(),
    next: integer(),
    word: text(),
  });
const [a, b, c, d, e, f] = [
  named("a"),
  named("b"),
  named("c"),
  named("d"),
  named("e"),
  named("f"),
] as const;

const ours = (n: number) =>
  select(a.c.id, b.c.id, c.c.id, d.c.id, e.c.id, f.c.word)
    .join(b, b.c.id.eq(a.c.next)).join(c, c.c.id.eq(b.c.next)).join(
      d,
      d.c.id.eq(c.c.next),
    )
    .leftJoin(e, e.c.id.eq(d.c.next)).leftJoin(f, f.c.id.eq(e.c.next))
    .where(a.c.id.gt(n), f.c.word.like("x%")).orderBy(a.c.id).limit(10);

type Row = { id: number; next: number; word: string };
const kysely = new Kysely<Record<(typeof names)[number], Row>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});
const theirs = (n: number) =>
  kysely.selectFrom("a").innerJoin("b", "b.id", "a.next").innerJoin(
    "c",
    "c.id",
    "b.next",
  ).innerJoin("d", "d.id", "c.next")
    .leftJoin("e", "e.id", "d.next").leftJoin("f", "f.id", "e.next")
    .select([
      "a.id as a_id",
      "b.id as b_id",
      "c.id as c_id",
      "d.id as d_id",
      "e.id as e_id",
      "f.word as f_word",
    ])
    .where("a.id", ">", n).where("f.word", "like", "x%").orderBy("a.id").limit(
      10,
    );

/** The text without what is a matter of taste: case, quotes, INNER. */
const plain = (sql: string) =>
  sql.toLowerCase().replaceAll("inner join", "join").replaceAll("(", "")
    .replaceAll(")", "").replaceAll(" asc", "");
const [one, two] = [prepare(ours(1), sqlite).sql, theirs(1).compile().sql].map(
  plain,
);
if (one !== two) {
  console.error(`the texts differ:\n${one}\n${two}`);
  Deno.exit(1);
}

const results = new Map<string, number>();

/** Measures in turns, since machines have moods; keeps the best of each. */
function measure(runs: Readonly<Record<string, (i: number) => unknown>>): void {
  for (let round = 0; round < 40; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = performance.now();
      for (let i = 0; i < 400; i++) run(i);
      const took = ((performance.now() - start) / 400) * 1000;
      results.set(name, Math.min(took, results.get(name) ?? Infinity));
    }
  }
}

const statements = Array.from({ length: 400 }, (_, i) => ours(i));
measure({
  "build": ours,
  "build, first compile": (i) => prepare(ours(i), sqlite),
  "compile of a known statement": (i) => prepare(statements[i]!, sqlite),
  "Kysely: build": theirs,
  "Kysely: build, compile": (i) => theirs(i).compile(),
});
const took = (name: string) => results.get(name) ?? NaN;
for (const [name, us] of results) {
  console.log(`${name.padEnd(34)} ${us.toFixed(2).padStart(8)} µs`);
}
const first = took("build, first compile") - took("build");
const gain = first / took("compile of a known statement");
const lead = took("Kysely: build, compile") / took("build, first compile");
console.log(
  `a known statement compiles ${
    gain.toFixed(0)
  } times faster than the first time (at least 20)`,
);
console.log(
  `from nothing to text for the first time: ${
    lead.toFixed(2)
  } times as fast as Kysely (more than 1)`,
);
if (!(gain >= 20 && lead > 1)) Deno.exit(1);
