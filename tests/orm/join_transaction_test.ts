import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  Entity,
  integer,
  type JoinMode,
  joinTransaction,
  Session,
  text,
} from "../../orm/mod.ts";
import {
  type Engine,
  MetaData,
  select,
  sql,
  type Transaction,
  transaction,
  UnsupportedError,
} from "../../sql/mod.ts";
import {
  created,
  d1Database,
  emptied,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Tag extends Base.table("tags", { label: text().unique() }) {}

const postgres = await created(pgliteDatabase(), metadata);
Deno.test.afterAll(async () => await postgres[Symbol.asyncDispose]());

const databases: [string, () => Promise<TestDatabase>][] = [
  ["sqlite", () => created(sqliteDatabase(), metadata)],
  ["PGlite", () => emptied(postgres, metadata)],
];

const labels = async (engine: Engine): Promise<string> =>
  (await engine.execute(select(Tag.table.c.label).orderBy(Tag.table.c.label)))
    .join("");

const insert = (open: Transaction, label: string) =>
  open.execute(sql`INSERT INTO tags (label) VALUES (${label})`);

type End = "commit" | "rollback" | "close" | "nothing";

const ENDS: End[] = ["commit", "rollback", "close", "nothing"];

/**
 * What is left when the transaction commits at last: "o" written outside of
 * the savepoint, "i" inside, "s" by the session. What it ended is marked "!".
 */
const OUTCOMES: Record<JoinMode, Record<"open" | "savepoint", string>> = {
  conditionalSavepoint: { open: "os ! os os", savepoint: "ios io io ios" },
  createSavepoint: { open: "os o o os", savepoint: "ios io io ios" },
  rollbackOnly: { open: "os ! os os", savepoint: "ios o! ios ios" },
  controlFully: { open: "os! ! ! os", savepoint: "ios! o! o! ios" },
};

/** Lets a session write and end inside a transaction, or a savepoint of it. */
async function outcome(
  engine: Engine,
  mode: JoinMode | undefined,
  end: End,
  inside: "open" | "savepoint",
): Promise<string> {
  let wasEnded = false;
  const work = async (open: Transaction): Promise<void> => {
    const { depth } = open;
    const bind = joinTransaction(open, mode && { mode });
    const session = new Session({ bind });
    session.add(new Tag({ label: "s" }));
    await session.flush();
    if (end !== "nothing") await session[end]();
    wasEnded = inside === "open"
      ? open.isOver
      : open.depth < depth && !open.isOver;
  };
  await transaction(engine, async (open) => {
    await insert(open, "o");
    if (inside === "open") return await work(open);
    await open.savepoint(async () => {
      await insert(open, "i");
      await work(open);
    });
  });
  const left = await labels(engine);
  await engine.execute(sql`DELETE FROM tags`);
  return left + (wasEnded ? "!" : "");
}

for (const [name, open] of databases) {
  for (const [mode, outcomes] of Object.entries(OUTCOMES)) {
    Deno.test(`orm 139: what ends of a session do to a transaction that it has joined as ${mode}, on ${name}`, async () => {
      await using database = await open();
      for (const inside of ["open", "savepoint"] as const) {
        const seen: string[] = [];
        for (const end of ENDS) {
          seen.push(
            await outcome(database.engine, mode as JoinMode, end, inside),
          );
        }
        strictEqual(seen.join(" "), outcomes[inside], inside);
      }
    });
  }

  Deno.test(`orm 139: a session joins conditionally unless it is told how, and a commit that writes for itself ends alike, on ${name}`, async () => {
    await using database = await open();
    const { engine } = database;
    strictEqual(await outcome(engine, undefined, "rollback", "open"), "!");
    strictEqual(
      await outcome(engine, undefined, "rollback", "savepoint"),
      "io",
    );
    for (const mode of Object.keys(OUTCOMES) as JoinMode[]) {
      await transaction(engine, async (open) => {
        await using session = new Session({
          bind: joinTransaction(open, { mode }),
        });
        session.add(new Tag({ label: "s" }));
        await session.commit();
        strictEqual(open.isOver, mode === "controlFully");
        const reading = session.scalars(select(Tag));
        // Nothing more can be asked of a transaction that the session ended.
        if (open.isOver) {
          await rejects(reading, { code: "sql/transaction-over" });
        } else strictEqual((await reading).length, 1);
      });
      strictEqual(await labels(engine), "s");
      await engine.execute(sql`DELETE FROM tags`);
    }
  });

  Deno.test(`orm 139: a write that fails inside a joined transaction undoes what the mode says, on ${name}`, async () => {
    await using database = await open();
    const { engine } = database;
    for (const how of ["flush", "commit"] as const) {
      for (
        const [mode, left, isOver] of [
          ["createSavepoint", "o", false],
          ["rollbackOnly", "", true],
          ["controlFully", "", true],
        ] as const
      ) {
        await transaction(engine, async (open) => {
          await insert(open, "o");
          await using session = new Session({
            bind: joinTransaction(open, { mode }),
          });
          session.addAll([new Tag({ label: "s" }), new Tag({ label: "o" })]);
          await rejects(session[how](), { code: "sql/unique-violation" });
          strictEqual(open.isOver, isOver);
        });
        strictEqual(await labels(engine), left);
        await engine.execute(sql`DELETE FROM tags`);
      }
    }
  });

  Deno.test(`orm 139: a joined session has savepoints of its own, and the log says what is sent, on ${name}`, async () => {
    await using database = await open();
    const log: string[] = [];
    const engine = database.other({
      echo: true,
      name: "outer",
      log: (line) => log.push(line.replace("INFO aludel.engine.outer ", "")),
    });
    await transaction(engine, async (open) => {
      await using session = new Session({
        bind: joinTransaction(open, { mode: "createSavepoint" }),
      });
      const nested = await session.beginNested();
      session.add(new Tag({ label: "gone" }));
      await session.flush();
      await nested.rollback();
      session.add(new Tag({ label: "kept" }));
      await session.commit();
    });
    deepStrictEqual(log.filter((line) => /^(BEGIN|COMMIT|R|SAVE)/.test(line)), [
      "BEGIN (implicit)",
      "SAVEPOINT aludel_1",
      "SAVEPOINT aludel_unit_1",
      "ROLLBACK TO SAVEPOINT aludel_unit_1",
      "RELEASE SAVEPOINT aludel_unit_1",
      "RELEASE SAVEPOINT aludel_1",
      "COMMIT",
    ]);
    strictEqual(await labels(engine), "kept");
  });
}

Deno.test("orm 139: where no transaction is held open there is none to join, on D1", async () => {
  await using workerd = await workerdWith("DB");
  await using database = await created(d1Database(workerd, "DB"), metadata);
  await rejects(
    transaction(database.engine, (open) => {
      new Session({ bind: joinTransaction(open) });
      return Promise.resolve();
    }),
    (error) => {
      ok(error instanceof UnsupportedError, String(error));
      return true;
    },
  );
  strictEqual(database.trips, 0);
});
