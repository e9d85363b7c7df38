import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  deleteFrom,
  insert,
  integer,
  literal,
  select,
  sql,
  text,
  update,
} from "../../../sql/mod.ts";
import { type DriverCase, driverCase, freshTable } from "./case.ts";

const names = () => ({ id: integer().primaryKey(), name: text() });

/** What holds for one statement at a time. */
export const statementCases = (): readonly DriverCase[] => [
  driverCase(
    "a statement gives rows as arrays, and names its columns",
    async (engine) => {
      const result = await engine.send(
        engine.prepare(sql`SELECT ${"x"} AS b, ${"y"} AS a`),
      );

      deepStrictEqual([...result.columns], ["b", "a"]);
      deepStrictEqual(result.rows.map((row) => [...row]), [["x", "y"]]);
    },
  ),

  driverCase(
    "columns keep their order, whatever they are called",
    async (engine) => {
      const word = text().spec.type;
      const statement = select(
        literal("a", word).as("2"),
        literal("b", word).as("1"),
        literal("c", word).as("__proto__"),
        literal("d", word).as("constructor"),
      );

      const [row] = await engine.execute(statement);
      const [[again]] = await engine.batch([statement]);

      deepStrictEqual([row, again], [["a", "b", "c", "d"], [
        "a",
        "b",
        "c",
        "d",
      ]]);
    },
  ),

  driverCase("RETURNING hands back what was written", async (engine) => {
    const users = await freshTable(engine, "returning", names());

    const [row] = await engine.execute(
      insert(users).values({ name: "ed" }).returning(users),
    );

    deepStrictEqual(row, { id: 1, name: "ed" });
  }),

  driverCase("writes say how many rows they changed", async (engine) => {
    const users = await freshTable(engine, "counts", names());
    const countOf = async (
      statement: Parameters<typeof engine.execute>[0],
    ) => (await engine.execute(statement)).rowCount;

    strictEqual(
      await countOf(insert(users).values([{ name: "a" }, { name: "b" }])),
      2,
    );
    strictEqual(
      await countOf(update(users).set({ name: "c" }).where(users.c.id.eq(1))),
      1,
    );
    strictEqual(
      await countOf(deleteFrom(users).where(users.c.id.eq(99))),
      0,
    );
    strictEqual(
      await countOf(deleteFrom(users).returning(users.c.id)),
      2,
    );
  }),

  driverCase("as many parameters fit as the driver says", async (engine) => {
    const { params = 1000 } = engine.capabilities.limits;
    const count = Math.min(params, 1000);
    const type = integer().spec.type;
    const values = Array.from({ length: count }, (_, i) => literal(i, type));
    // A sum, since columns have a limit of their own.
    const parts: unknown[] = values;
    const strings = Object.assign(
      [
        "SELECT 1 AS one WHERE 0 IN (",
        ...Array.from({ length: count - 1 }, () => ", "),
        ")",
      ],
      { raw: [] },
    );

    const rows = await engine.execute(sql(strings, ...parts));

    strictEqual(rows.length, 1);
  }),

  driverCase(
    "a text may hold several lines, comments and semicolons in strings",
    async (engine) => {
      const [row] = await engine.execute(
        sql`SELECT
        'a;b' AS one, -- a remark
        'it''s' AS two /* another */`,
      );

      deepStrictEqual(row, { one: "a;b", two: "it's" });
    },
  ),

  driverCase(
    "many statements at once all get their own answer",
    async (engine) => {
      const users = await freshTable(engine, "parallel", names());
      await engine.execute(
        insert(users).values(
          Array.from({ length: 20 }, (_, i) => ({ id: i + 1, name: `n${i}` })),
        ),
      );

      const found = await Promise.all(
        Array.from(
          { length: 20 },
          (_, i) =>
            engine.send(
              engine.prepare(
                select(users.c.name).where(users.c.id.eq(i + 1)),
              ),
            ),
        ),
      );

      deepStrictEqual(
        found.map(({ rows }) => rows[0]?.[0]),
        Array.from({ length: 20 }, (_, i) => `n${i}`),
      );
    },
  ),
];
