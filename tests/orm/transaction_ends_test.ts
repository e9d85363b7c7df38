import { ok, rejects, strictEqual } from "node:assert/strict";
import {
  Entity,
  integer,
  listenToSession,
  manyToOne,
  oneToMany,
  Session,
  type SessionError,
  text,
} from "../../orm/mod.ts";
import { MetaData, select, sql } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("users", {
  name: text(),
  notes: () => oneToMany(Note, { backPopulates: "user" }),
}) {}
class Note extends Base.table("notes", {
  words: text(),
  userId: integer().references("users.id").nullable(),
  user: () => manyToOne(User, { backPopulates: "notes" }),
}) {}

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const databases: [string, () => TestDatabase][] = [
  ["sqlite", sqliteDatabase],
  ["PGlite", pgliteDatabase],
  ["D1", () => d1Database(workerd, "DB")],
];

const isBusy = (error: unknown) => {
  strictEqual((error as SessionError).code, "orm/busy");
  return true;
};

for (const [name, open] of databases) {
  Deno.test(`orm 137: who hears of an end asks nothing of the database, and still sees the objects, on ${name}`, async () => {
    await using database = await created(open(), metadata);
    const { engine } = database;
    await using session = new Session({ bind: engine, expireOnCommit: true });
    const asked: Promise<unknown>[] = [];
    const seen: string[] = [];
    const ends = (["afterCommit", "afterRollback"] as const).map((event) =>
      listenToSession(session, event, () => {
        seen.push(`${event} ${ed.id} ${ed.name}`);
        asked.push(
          session.execute(select(Note)),
          session.execute(sql`DELETE FROM notes`),
          session.get(User, 7),
          ed.notes.load(),
          session.commit(),
        );
      })
    );
    const allRefused = async () => {
      strictEqual(asked.length, 5);
      for (const one of asked.splice(0)) await rejects(one, isBusy);
    };
    const ed = new User({ name: "ed" });
    session.addAll([ed, new Note({ words: "kept" })]);

    await session.commit();
    await allRefused();
    ed.name = "changed";
    await session.rollback();
    await allRefused();
    strictEqual(seen.join(), "afterCommit 1 ed,afterRollback 1 ed");

    // What is asked for when the step is over is answered.
    strictEqual((await session.scalars(select(Note))).length, 1);
    strictEqual((await ed.notes.load()).length, 0);
    ed.name = "edward";
    ends.forEach((end) => end());
    await session.commit();
    const [row] = await engine.execute(select(User.table));
    ok(row?.name === "edward");
  });
}
