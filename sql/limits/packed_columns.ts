import type { PackedColumns, WrittenColumn } from "../dialect.ts";
import { rootType } from "../types.ts";

/** How many values stand in one JSON array: functions take no more on D1. */
const PACK = 30;

/** Types whose values JSON cannot say, or not exactly. */
const UNLIKE_JSON = /^(real|blob|any|undefined)$/;

/**
 * Writes a result list that is too long as JSON arrays, beside what is unlike
 * JSON.
 */
export function packColumns(
  columns: readonly WrittenColumn[],
  most: number,
): PackedColumns | undefined {
  if (columns.length <= most) return undefined;
  const [apart = [], alike = []] = [true, false].map((isApart) =>
    columns.filter(({ type }) =>
      UNLIKE_JSON.test(`${type && rootType(type).name}`) === isApart
    )
  );
  const sent: Omit<WrittenColumn, "type">[] = [...apart];
  for (let at = 0; at < alike.length; at += PACK) {
    const cells = alike.slice(at, at + PACK).map(({ sql }) => sql);
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
