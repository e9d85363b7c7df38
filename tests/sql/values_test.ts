/** What a value that its type cannot hold is said to be for. */
import { rejects, throws } from "node:assert/strict";
import { d1 } from "../../backends/d1.ts";
import { pglite } from "../../backends/pglite.ts";
import { sqlite } from "../../backends/sqlite.ts";
import { Entity, Session } from "../../orm/mod.ts";
import {
  alias,
  column,
  createEngine,
  type Dialect,
  insert,
  integer,
  MetaData,
  numeric,
  prepare,
  select,
  table,
  timestamp,
  typeDecorator,
  update,
} from "../../sql/mod.ts";

const lines = table("lines", new MetaData(), {
  id: integer().primaryKey(),
  qty: integer(),
  price: numeric(10, 2).nullable(),
  at: timestamp().named("made_at").nullable(),
  level: column(typeDecorator(integer().spec.type, {
    processBindParam: (value: number) => value / 2,
    processResultValue: (value: unknown) => Number(value) * 2,
  })).nullable(),
});

/** Dialects alone; nothing is sent. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  SQLite: sqlite(":memory:").dialect,
  D1: d1({ prepare: () => never(), batch: () => never() }).dialect,
  Postgres: pglite({} as never).dialect,
};

function never(): never {
  throw new Error("nothing is to be sent");
}

for (const [name, dialect] of Object.entries(DIALECTS)) {
  Deno.test(`a value that does not fit says for which column, and not what it is, on ${name}`, () => {
    const says = (statement: Parameters<typeof prepare>[0], message: string) =>
      throws(() => prepare(statement, dialect), {
        name: "TypeConversionError",
        code: "sql/type",
        message,
      });
    const qty =
      'Cannot bind as an integer what is no whole number up to 2^53 for "lines.qty"; use bigint() or real()';
    says(insert(lines).values({ id: 1, qty: 1.5 }), qty);
    says(update(lines).set({ qty: "many" as never }), qty);
    says(select(lines).where(lines.c.qty.eq(0.5)), qty);
    says(
      insert(lines).values(
        Array.from({ length: 60 }, (_, id) => ({ id, qty: id / 59 })),
      ),
      qty,
    );
    says(
      update(lines).set({ price: "cheap" }),
      'Cannot use as a decimal what is no number for "lines.price"; give digits: "10.50"',
    );
    says(
      update(lines).set({ at: new Date(NaN) }),
      'Cannot bind what is no valid Date for "lines.at"; give a Date',
    );
    says(
      update(lines).set({ at: "2024-05-01T00:00:00.000Z" as never }),
      'Cannot bind what is no valid Date for "lines.at"; give a Date',
    );
    says(
      update(lines).set({ level: 3 }),
      'Cannot bind as an integer what is no whole number up to 2^53 for "lines.level"; use bigint() or real()',
    );
    const other = alias(lines, "other");
    says(
      select(other).where(other.c.qty.gt(0.5)),
      'Cannot bind as an integer what is no whole number up to 2^53 for "lines.qty"; use bigint() or real()',
    );
  });
}

Deno.test("a commit says which column of which table a value does not fit", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Item extends Base.table("items", { qty: integer() }) {}
  await using engine = createEngine(sqlite(":memory:"));
  await Base.metadata.createAll(engine);
  for (const count of [1, 20]) {
    await using session = new Session({ bind: engine });
    session.addAll(
      Array.from({ length: count }, () => new Item({ qty: 0.5 })),
    );
    await rejects(session.commit(), {
      code: "sql/type",
      message:
        'Cannot bind as an integer what is no whole number up to 2^53 for "items.qty"; use bigint() or real()',
    });
  }
});
