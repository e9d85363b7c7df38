import type { Dialect } from "../dialect.ts";
import { type SqlType, toDriver } from "../types.ts";

/** A list as Postgres writes it: `{1,NULL,"a b"}`. */
export function arrayLiteral(
  values: readonly unknown[],
  item: SqlType | undefined,
  dialect: Dialect,
): string {
  return `{${
    values.map((value) => {
      if (Array.isArray(value) && !item?.item && item?.name !== "json") {
        return arrayLiteral(value, item, dialect);
      }
      const bound = toDriver(value, item, dialect);
      if (bound === null) return "NULL";
      return item?.item
        ? String(bound)
        : `"${String(bound).replace(/["\\]/g, "\\$&")}"`;
    })
  }}`;
}

/** The values of a list as Postgres writes it. */
export function readArray(
  text: string,
  read: ((value: unknown) => unknown) | undefined,
): unknown[] {
  let at = text.indexOf("{");
  const list = (): unknown[] => {
    const items: unknown[] = [];
    at++;
    while (at < text.length && text[at] !== "}") {
      if (text[at] === ",") at++;
      else if (text[at] === "{") items.push(list());
      else items.push(item());
    }
    at++;
    return items;
  };
  const item = (): unknown => {
    const word = text[at] === '"' ? /"((?:[^"\\]|\\.)*)"/ys : /([^,}]*)/y;
    word.lastIndex = at;
    const [all = "", raw = ""] = word.exec(text) ?? [];
    at += all.length;
    if (raw === "NULL" && all === raw) return null;
    const value = raw.replace(/\\(.)/gs, "$1");
    return read ? read(value) : value;
  };
  return list();
}
