import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type Engine,
  insert,
  integer,
  select,
  text,
  transaction,
  UniqueViolationError,
  UnsupportedError,
} from "../../../sql/mod.ts";
import { type DriverCase, driverCase, freshTable } from "./case.ts";

const names = () => ({ id: integer().primaryKey(), name: text().unique() });

/** A case for engines that hold transactions open; others must refuse. */
function held(
  name: string,
  run: (engine: Engine) => Promise<void>,
): DriverCase {
  return driverCase(name, async (engine) => {
    if (engine.capabilities.interactiveTransactions) return run(engine);
    strictEqual(engine.capabilities.savepoints, false);
    await rejects(
      transaction(engine, () => Promise.resolve()),
      UnsupportedError,
    );
  });
}

/** What holds for transactions between calls. */
export const transactionCases = (): readonly DriverCase[] => [
  held("a held transaction commits, or is refused", async (engine) => {
    const users = await freshTable(engine, "held", names());

    const inside = await transaction(engine, async (tx) => {
      await tx.execute(insert(users).values({ name: "a" }));
      return [...await tx.execute(select(users.c.name))];
    });

    deepStrictEqual(inside, ["a"]);
    deepStrictEqual([...await engine.execute(select(users.c.name))], ["a"]);
  }),

  held(
    "a held transaction that throws leaves nothing behind, or is refused",
    async (engine) => {
      const users = await freshTable(engine, "held_undone", names());

      await rejects(
        transaction(engine, async (tx) => {
          await tx.execute(insert(users).values({ name: "a" }));
          throw new RangeError("no");
        }),
        RangeError,
      );

      deepStrictEqual([...await engine.execute(select(users.c.name))], []);
    },
  ),

  held(
    "a savepoint undoes what it holds alone, or is refused",
    async (engine) => {
      const users = await freshTable(engine, "savepoint", names());

      await transaction(engine, async (tx) => {
        await tx.execute(insert(users).values({ name: "a" }));
        await rejects(
          tx.savepoint(async () => {
            await tx.execute(insert(users).values({ name: "b" }));
            await tx.execute(insert(users).values({ name: "a" }));
          }),
          UniqueViolationError,
        );
        await tx.execute(insert(users).values({ name: "c" }));
      });

      deepStrictEqual(
        [...await engine.execute(select(users.c.name).orderBy(users.c.name))],
        ["a", "c"],
      );
    },
  ),

  held("two held transactions do not mix, or are refused", async (engine) => {
    const users = await freshTable(engine, "two", names());

    await Promise.all(
      ["a", "b"].map((name) =>
        transaction(engine, async (tx) => {
          await tx.execute(insert(users).values({ name }));
          await tx.execute(select(users.c.name));
          if (name === "b") throw new RangeError("no");
        }).catch((error) => {
          if (!(error instanceof RangeError)) throw error;
        })
      ),
    );

    deepStrictEqual([...await engine.execute(select(users.c.name))], ["a"]);
  }),
];
