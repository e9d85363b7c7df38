import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import {
  Entity,
  integer,
  Session,
  StaleDataError,
  text,
  versionId,
} from "../../orm/mod.ts";
import { MetaData, one, select, sql } from "../../sql/mod.ts";
import {
  created,
  d1Database,
  neonDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class Seat extends Base.table("seats", {
  guest: text().nullable(),
}) {}
class Price extends Base.table("prices", {
  amount: integer(),
  version: versionId(),
}) {}

for (
  const [name, open] of [
    ["D1", () => d1Database(workerd, "DB")],
    ["Postgres", () => neonDatabase("server")],
  ] as [string, () => TestDatabase | Promise<TestDatabase>][]
) {
  Deno.test(`optimistic() reads and writes again until nobody came in between, on ${name}`, async () => {
    await using database = await created(await open(), metadata);
    await using session = new Session({ bind: database.engine });
    session.addAll([
      ...Array.from({ length: 8 }, () => new Seat({})),
      new Price({ amount: 10 }),
    ]);
    await session.commit();

    // Each takes the first seat that it sees free.
    const taken = await Promise.all(
      Array.from(
        { length: 5 },
        (_, i) =>
          new Session({ bind: database.other() }).optimistic(async (own) => {
            const seats = await own.scalars(select(Seat).orderBy(Seat.c.id));
            const free = seats.find(({ guest }) => guest === null)!;
            free.guest = `guest ${i}`;
            return free.id;
          }, { retries: 10 }),
      ),
    );
    deepStrictEqual(taken.sort(), [1, 2, 3, 4, 5]);

    // What was only read is validated too, in the trip of the commit.
    let runs = 0;
    database.reset();
    await session.optimistic(async (own) => {
      const price = one(await own.scalars(select(Price)));
      const seat = (await own.get(Seat, 8))!;
      if (runs++ === 0) {
        await database.engine.execute(
          sql`UPDATE prices SET amount = 20, version = version + 1`,
        );
      }
      seat.guest = `paid ${price.amount}`;
    });
    strictEqual(runs, 2);
    strictEqual((await session.get(Seat, 8, { fresh: true }))?.id, 8);
    const [seat] = await database.engine.execute(
      select({ guest: Seat.c.guest }).where(Seat.c.id.eq(8)),
    );
    strictEqual(seat?.guest, "paid 20");

    await rejects(
      session.optimistic(async (own) => {
        const price = one(await own.scalars(select(Price)));
        await database.engine.execute(
          sql`UPDATE prices SET version = version + 1`,
        );
        own.add(new Seat({ guest: `${price.amount}` }));
      }, { retries: 1 }),
      (error: StaleDataError) => {
        ok(error instanceof StaleDataError, String(error));
        return error.entity === "Price";
      },
    );
    strictEqual((await database.engine.execute(select(Seat.table))).length, 8);
  });
}
