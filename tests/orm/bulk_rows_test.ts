import { deepStrictEqual } from "node:assert/strict";
import { Entity, integer, Session, text } from "../../orm/mod.ts";
import {
  blob,
  boolean,
  json,
  MetaData,
  real,
  select,
  timestamp,
} from "../../sql/mod.ts";
import {
  created,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
} from "./databases.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
// What the rows of a JSON parameter are read by are names of columns, too.
class Reading extends Base.table("readings", {
  key: text().nullable(),
  value: real(),
  isGood: boolean(),
  at: timestamp(),
  note: json<unknown>().nullable(),
  raw: blob().nullable(),
}) {}

const databases: [string, () => TestDatabase][] = [
  ["sqlite", sqliteDatabase],
  ["PGlite", pgliteDatabase],
];
for (const [name, open] of databases) {
  Deno.test(`orm 43, 45: many rows are inserted, updated and deleted by a statement each on ${name}, whatever their types`, async () => {
    await using database = await created(open(), metadata);
    await using session = new Session({ bind: database.engine });
    const many = Array.from({ length: 9 }, (_, i) =>
      new Reading({
        key: i % 2 ? `"k" ${i}` : null,
        value: i / 4,
        isGood: i % 2 === 0,
        at: new Date(i * 1e10),
        note: i % 2 ? { i, text: "ä\n" } : null,
      }));
    const stored = async () => {
      const all = await new Session({ bind: database.engine })
        .scalars(select(Reading).orderBy(Reading.c.id));
      return all.map((one) => ({ ...one }));
    };
    session.addAll(many);
    database.reset();

    await session.commit();
    const inserts = database.log.flat().filter((sql) => /INSERT/.test(sql));
    deepStrictEqual(await stored(), many.map((one) => ({ ...one })));

    for (const one of many) {
      one.value += 0.5;
      one.key = `${one.id}`;
      one.note = [one.id];
    }
    database.reset();
    await session.commit();
    const updates = database.log.flat().filter((sql) => /UPDATE/.test(sql));
    deepStrictEqual(await stored(), many.map((one) => ({ ...one })));

    for (const one of many) session.delete(one);
    database.reset();
    await session.commit();
    const deletes = database.log.flat().filter((sql) => /DELETE/.test(sql));
    deepStrictEqual(await stored(), []);
    deepStrictEqual([inserts, updates, deletes].map((all) => all.length), [
      1,
      1,
      1,
    ]);
  });
}
