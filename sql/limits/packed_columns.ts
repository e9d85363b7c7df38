import type { PackedColumns, WrittenColumn } from "../dialect.ts";

/** How many values stand in one JSON array: functions take no more on D1. */
const PACK = 30;

/** Types whose values JSON cannot say, or not to the last digit. */
const UNLIKE_JSON = /^(real|blob|json|any|undefined)$/;

/**
 * Writes a result list that is too long as JSON arrays. What is unlike JSON
 * stands beside them; reals, if there is no room for them.
 */
export function packColumns(
  columns: readonly WrittenColumn[],
  most: number,
): PackedColumns | undefined {
  if (columns.length <= most) return undefined;
  const nameOf = ({ type }: WrittenColumn) => `${type?.name}`;
  let apart = columns.filter((one) => UNLIKE_JSON.test(nameOf(one)));
  if (apart.length + (columns.length - apart.length) / PACK > most) {
    apart = apart.filter((one) => nameOf(one) !== "real");
  }
  const alike = columns.filter((one) => !apart.includes(one));
  const sent: Omit<WrittenColumn, "type">[] = [...apart];
  for (let at = 0; at < alike.length; at += PACK) {
    const cells = alike.slice(at, at + PACK).map((one) =>
      // The literal of a real has more digits than JSON is given.
      nameOf(one) === "real"
        ? `json(nullif(quote(${one.sql}), 'NULL'))`
        : one.sql
    );
    sent.push({ sql: `json_array(${cells.join(", ")})`, label: `pack_${at}` });
  }
  const places = columns.map((column) => [...apart, ...alike].indexOf(column));
  return {
    columns: sent,
    unpack(row) {
      const values = [
        ...row.slice(0, apart.length),
        ...row.slice(apart.length).flatMap((text) => JSON.parse(String(text))),
      ];
      return places.map((at) => values[at]);
    },
  };
}
