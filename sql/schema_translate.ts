import type { Dialect } from "./dialect.ts";
import type { Driver } from "./driver.ts";

const known = new WeakMap<Dialect, Map<string, Dialect>>();

/**
 * The same database with its schemas under other names, as for one schema a
 * tenant: `createEngine(translateSchemas(driver, { "": "tenant_7" }))`. The
 * empty name stands for tables of no schema.
 */
export function translateSchemas(
  driver: Driver,
  names: Readonly<Record<string, string>>,
): Driver {
  // A statement keeps its text by dialect, so equal names share one.
  let dialects = known.get(driver.dialect);
  if (!dialects) known.set(driver.dialect, dialects = new Map());
  const key = JSON.stringify(Object.entries(names));
  let dialect = dialects.get(key);
  if (!dialect) {
    const map = new Map(Object.entries(names));
    dialects.set(
      key,
      // Not a copy: what the dialect says of itself shall say it of this one.
      dialect = Object.create(driver.dialect, {
        translateSchema: {
          value: (schema: string | undefined) =>
            map.get(schema ?? "") ?? schema,
        },
      }) as Dialect,
    );
  }
  return Object.create(driver, { dialect: { value: dialect } });
}
