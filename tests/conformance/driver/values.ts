import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  bigint,
  blob,
  boolean,
  type ColumnBuilder,
  date,
  insert,
  integer,
  json,
  numeric,
  real,
  select,
  SqlError,
  text,
  time,
  timestamp,
  uuid,
} from "../../../sql/mod.ts";
import { type DriverCase, driverCase, freshTable } from "./case.ts";

/** A case: each value of a type comes back as it went. */
function survives<T>(
  type: string,
  column: () => ColumnBuilder<T>,
  values: readonly T[],
): DriverCase {
  return driverCase(`${type} comes back as it went`, async (engine) => {
    const holder = await freshTable(
      engine,
      `value_${type.replaceAll(" ", "_")}`,
      { id: integer().primaryKey(), value: column() },
    );
    for (const [id, value] of values.entries()) {
      await engine.execute(insert(holder).values({ id, value } as never));
    }
    const rows = await engine.execute(
      select(holder.c.value).orderBy(holder.c.id),
    );
    deepStrictEqual([...rows], values);
  });
}

/** Bytes that are not all alike. */
function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) % 256);
}

/** What holds for the values of each type. */
export const valueCases = (): readonly DriverCase[] => [
  survives("integer", integer, [0, -1, 2 ** 31 - 1, -(2 ** 31)]),
  survives("bigint", bigint, [
    0n,
    -1n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]),
  survives("text", text, [
    "",
    "a",
    'it\'s "quoted" `so`',
    "back\\slash \\x41 %_",
    "line\nfeed\r\ttab",
    "2.0",
    "null",
    "日本語 ünï",
    "👩‍👩‍👧 \u{10FFFF}",
    " spaces ",
    "x".repeat(100_000),
  ]),
  survives("boolean", boolean, [true, false]),
  survives("real", real, [
    0,
    0.1,
    -1.5,
    1e300,
    -5e-324,
    Number.MAX_SAFE_INTEGER,
    Math.PI,
  ]),
  survives("exact decimals", () => numeric(40, 10), [
    "0.1000000000",
    "-12345678901234567890.1234567890",
    "999999999999999999999999999999.9999999999",
  ]),
  survives("date", date, ["2026-11-23", "1969-12-31", "0001-01-01"]),
  survives("time", time, ["00:00:00", "23:59:59.5", "12:34:56.789"]),
  survives("timestamp", timestamp, [
    new Date(0),
    new Date(-1),
    new Date("1969-12-31T23:59:59.500Z"),
    new Date("0099-03-01T00:00:00.001Z"),
    new Date("2026-11-23T10:00:00.123Z"),
    new Date("9999-12-31T23:59:59.999Z"),
  ]),
  survives("json", () => json(), [
    {},
    [],
    "text",
    0,
    true,
    { a: [1, { b: null }], "ü": "👍", "": '"\\' },
    [null, [[]]],
  ]),
  survives("blob", blob, [
    new Uint8Array(),
    new Uint8Array([0, 255, 128]),
    bytes(1000),
  ]),
  survives("a blob of a megabyte", blob, [bytes(1024 * 1024)]),
  survives("uuid", uuid, [
    "00000000-0000-0000-0000-000000000000",
    "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  ]),

  driverCase("NULL is no value of any type", async (engine) => {
    const holder = await freshTable(engine, "nulls", {
      id: integer().primaryKey(),
      big: bigint().nullable(),
      words: text().nullable(),
      yes: boolean().nullable(),
      document: json().nullable(),
      bytes: blob().nullable(),
      at: timestamp().nullable(),
    });
    await engine.execute(insert(holder).values({ id: 1 }));

    const [row] = await engine.execute(select(holder));

    deepStrictEqual(row, {
      id: 1,
      big: null,
      words: null,
      yes: null,
      document: null,
      bytes: null,
      at: null,
    });
  }),

  driverCase(
    "a NUL character in text survives, or is refused by a typed error",
    async (engine) => {
      const holder = await freshTable(engine, "nul", {
        id: integer().primaryKey(),
        value: text(),
      });
      const write = () =>
        engine.execute(insert(holder).values({ id: 1, value: "a\0b" }));

      if (await refuses(write)) {
        strictEqual((await engine.execute(select(holder))).length, 0);
        return;
      }
      deepStrictEqual([...await engine.execute(select(holder.c.value))], [
        "a\0b",
      ]);
    },
  ),
];

/** Whether a write throws; anything but an error with a code goes on. */
async function refuses(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return false;
  } catch (error) {
    if (error instanceof SqlError) return true;
    throw error;
  }
}
