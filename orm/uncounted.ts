import {
  batchWrites,
  type Dialect,
  type Driver,
  type Table,
} from "../sql/mod.ts";

/** Settings of {@linkcode uncounted}. */
export interface UncountedOptions {
  /**
   * What can be told: `"single"`, of a statement about one row whether it
   * found it; `"none"`, nothing at all. @default {"none"}
   */
  readonly counts?: "single" | "none";
  /** The tables that it is about. @default all */
  readonly tables?: readonly Table[];
}

/**
 * A driver whose database does not tell truly how many rows a write found: of
 * a view that triggers write through, or a table whose triggers put rows
 * elsewhere. Without this, a session takes every such write for one that came
 * too late, and undoes the commit.
 *
 * With `"none"` such writes are made unchecked; where the class counts
 * versions the session warns, since nobody notices then who changed the row in
 * between. With `"single"` they are checked, and versioned rows are written by
 * a statement each.
 *
 * @example
 * ```ts
 * import { Entity, integer, Session, text, uncounted, versionId } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class Page extends Base.table("pages", {
 *   title: text(),
 *   version: versionId(),
 * }) {}
 *
 * const warnings: string[] = [];
 * await using engine = createEngine(uncounted(sqlite(":memory:")));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({
 *   bind: engine,
 *   warn: (message) => warnings.push(message),
 * });
 * const page = new Page({ title: "draft" });
 * session.add(page);
 * await session.commit();
 * page.title = "final";
 * await session.commit();
 * strictEqual(warnings.length, 1);
 * ```
 */
export function uncounted(
  driver: Driver,
  { counts = "none", tables }: UncountedOptions = {},
): Driver {
  const writes = {
    ...batchWrites(driver.dialect),
    counts(table: Table, listener: { warn(message: string): void }) {
      const version = table.columns.find(({ spec }) => spec.info?.version);
      if (tables && !tables.includes(table)) return undefined;
      if (counts === "single") return version && counts;
      if (version) {
        listener.warn(
          `The version of "${table.labelPrefix}" is not checked: its database does not count what a write finds`,
        );
      }
      return counts;
    },
  };
  const dialect: Dialect = { ...driver.dialect, writes };
  const { begin, hold, close } = driver;
  return {
    dialect,
    capabilities: driver.capabilities,
    execute: (statement) => driver.execute(statement),
    batch: (statements, options) => driver.batch(statements, options),
    classify: (error, sql) => driver.classify(error, sql),
    ...begin && { begin: (options) => begin.call(driver, options) },
    ...hold && { hold: () => hold.call(driver) },
    ...close && { close: () => close.call(driver) },
    get bookmark() {
      return driver.bookmark;
    },
  };
}
