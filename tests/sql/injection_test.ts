import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { PGlite } from "@electric-sql/pglite";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import {
  alias,
  contains,
  createAll,
  createEngine,
  fragment,
  func,
  identifier,
  insert,
  integer,
  json,
  jsonPath,
  MetaData,
  select,
  sql,
  table,
  text,
  update,
} from "../../sql/mod.ts";

const CORPUS = [
  "'",
  "''",
  '"',
  "\\'; DROP TABLE victims; --",
  "'; DROP TABLE victims; --",
  '"; DROP TABLE victims; --',
  "1 OR 1=1",
  "' OR '1'='1",
  "') OR ('a'='a",
  "/* */ UNION SELECT 1",
  "--",
  "#",
  ";",
  "?",
  "$1",
  "$$",
  "$tag$x$tag$",
  ":name",
  "@p",
  "%",
  "_",
  "\\",
  "\\%",
  "\n--\n",
  "\u2019 OR 1=1",
  "ʼ",
  "＇",
  "\u202e",
  "é😀",
  "`",
  "]",
  "[0]",
  "$.a",
  "a.b",
  'a"b',
  "{1,2}",
  '{"x":1}',
  "NULL",
  "x'41'",
  "E'\\n'",
  "a'||'b",
  "-1",
  "1e999",
  " ",
];

const metadata = new MetaData();
const victims = table("victims", metadata, {
  id: integer().primaryKey(),
  word: text(),
  doc: json<Record<string, string>>(),
});
const engines = [
  createEngine(sqlite(":memory:")),
  createEngine(pglite(await PGlite.create())),
];
Deno.test.afterAll(async () => {
  for (const engine of engines) await engine.close();
});
for (const engine of engines) await metadata.createAll(engine);

Deno.test("orm 200: no value changes a statement's text, and every value comes back as it went", async () => {
  for (const engine of engines) {
    const statements = (value: string) => [
      insert(victims).values({ word: value, doc: { [value]: value } }),
      update(victims).set({ word: value }).where(victims.c.word.eq(value)),
      select(victims).where(victims.c.word.in([value, value])),
      select(victims.c.id).where(contains(victims.c.word, value)),
      select(victims.c.id).where(
        jsonPath(victims.c.doc, value).asString().eq(value),
      ),
      sql`SELECT id FROM victims WHERE word = ${value}`,
      select(fragment`lower(${value})`),
    ];
    const plain = statements("plain").map((one) => engine.prepare(one).sql);
    for (const value of CORPUS) {
      deepStrictEqual(
        statements(value).map((one) => engine.prepare(one).sql),
        plain,
      );
      await engine.execute(statements(value)[0]!);
      for (
        const found of [
          select(victims.c.word).where(victims.c.word.eq(value)),
          select(victims.c.word).where(
            contains(victims.c.word, value),
            victims.c.word.eq(value),
          ),
          select(victims.c.word).where(
            jsonPath(victims.c.doc, value).asString().eq(value),
          ),
        ]
      ) {
        deepStrictEqual([...await engine.execute(found)], [value]);
      }
    }
    strictEqual(
      (await engine.execute(select(victims.c.id))).length,
      CORPUS.length,
    );
  }
});

Deno.test("orm 200: names from outside are quoted wherever they stand, and refused where they cannot be", async () => {
  for (const engine of engines) {
    for (const name of [...CORPUS, "select", "order"]) {
      // Postgres cuts names after 63 bytes and knows none that are empty.
      const odd = table(name, new MetaData(), {
        id: integer().primaryKey(),
        odd: text().named(`c${name}`),
      });
      await createAll(odd.metadata, engine);
      await engine.execute(insert(odd).values({ id: 1, odd: "x" }));
      const as = alias(odd, `a${name}`);
      const rows = await engine.execute(
        select({ [`l${name}`]: as.c.odd }).orderBy(identifier(`l${name}`)),
      );
      deepStrictEqual([...rows], [{ [`l${name}`]: "x" }]);
    }
    strictEqual(
      (await engine.execute(select(victims.c.id))).length,
      CORPUS.length,
    );
  }
  throws(() => func("lower); DROP TABLE victims; --"), { code: "sql/compile" });
  throws(() => engines[0]!.prepare(select(identifier("a\0b"))), {
    code: "sql/compile",
  });
  throws(() => engines[0]!.prepare(select(identifier(""))), {
    code: "sql/compile",
  });
  ok(CORPUS.length > 40);
});
