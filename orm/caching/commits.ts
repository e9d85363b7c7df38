import { type CacheRegion, platformRuntime } from "../../cache/mod.ts";
import {
  ConnectionError,
  type Statement,
  type Table,
  TimeoutError,
} from "../../sql/mod.ts";
import { PartialCommitError } from "../errors.ts";
import { hooks, type WorkHook } from "../hooks.ts";
import { type AnyClass, mapperOf } from "../mapper.ts";
import type { OpenUnit } from "../session_unit.ts";
import type { Work } from "../work.ts";
import { CachedEngine } from "./cached_reads.ts";
import { rowsTag, WrittenRows } from "./tags.ts";

/** How a region hears of commits. */
export interface FollowCommitsOptions {
  /**
   * Whether `commit()` resolves without waiting for the store of the region's
   * invalidation. This isolate knows at once in any case; a store that takes one
   * write of a key in a second, as KV does, is waited for where many commits
   * write to one table. @default {false}
   */
  readonly inBackground?: boolean;
  /**
   * Whether a query of one row is invalidated by writes to that row alone. Each
   * row that is written is a tag then, which is a write of a store that shares
   * invalidation; without it, only each table is. @default {true}
   */
  readonly byRow?: boolean;
}

// A region that nobody holds any more is read by nobody.
const followed = new Set<WeakRef<CacheRegion>>();
const known = new WeakMap<CacheRegion, FollowCommitsOptions>();

/**
 * Has what sessions write invalidate what a region keeps of it: of tables that
 * were written, of rows that were. `fromCache()` does so for its region; where
 * an isolate may write before it has read, do so where the region is made.
 *
 * Values of the program's own follow as well, where they have the names of
 * tables as tags: `region.getOrCreate("page", render, { tags: ["users"] })`.
 *
 * It hears of every session of this isolate, after the commit and before
 * `commit()` resolves; others hear of it by the region's own invalidation, which
 * `sharedInvalidation()` shares. It does not hear of what is written past the
 * sessions, nor of what hand-written SQL writes to tables that it only spells,
 * nor of the end of a transaction that a session has joined:
 * {@linkcode invalidateTables} tells of those.
 *
 * @example
 * ```ts
 * import { createRegion } from "@aludel/aludel/cache";
 * import { followCommits } from "@aludel/aludel/orm/caching";
 * import { strictEqual } from "node:assert/strict";
 *
 * export const region = followCommits(createRegion({ name: "app" }));
 * strictEqual(region.name, "app");
 * ```
 *
 * @returns The region.
 */
export function followCommits(
  region: CacheRegion,
  options?: FollowCommitsOptions,
): CacheRegion {
  hooks.around ??= keepInStep;
  if (!known.has(region)) followed.add(new WeakRef(region));
  known.set(region, options ?? known.get(region) ?? {});
  return region;
}

/** Makes invalid what a region keeps of tables or classes, as a write of every row would. */
export async function invalidateTables(
  region: CacheRegion,
  ...written: readonly (AnyClass | Table)[]
): Promise<void> {
  const tables = written.flatMap((one) =>
    typeof one === "function"
      ? mapperOf(one).tables.map(({ table }) => table)
      : one
  );
  await region.invalidateTags(
    tables.flatMap((table) => [table.fullName, rowsTag(table)]),
  );
}

/** Whether a region's queries of one row are told apart. */
export function isByRow(region: CacheRegion): boolean {
  return known.get(region)?.byRow !== false;
}

/** What a unit of work has written, or may have, since its last commit. */
interface Written {
  readonly works: Work[];
  readonly statements: Statement<unknown>[];
}

const written = new WeakMap<OpenUnit, Written>();

function writtenBy(unit: OpenUnit): Written {
  let found = written.get(unit);
  if (!found) written.set(unit, found = { works: [], statements: [] });
  return found;
}

const keepInStep: WorkHook = {
  async step(unit, what, work) {
    let error: unknown;
    try {
      return await work();
    } catch (thrown) {
      error = thrown;
      throw thrown;
    } finally {
      // Until what is held has ended, nobody else sees what was written.
      if (!unit.held?.size) {
        if (what === "commit" && (!error || mayBeWritten(error))) {
          await invalidate(unit, written.get(unit));
        }
        written.delete(unit);
      }
    }
  },
  planned(unit, { works }) {
    writtenBy(unit).works.push(...works.filter((one) => !isGuard(one)));
  },
  async send(core, reads, work) {
    const { unit, validates } = core;
    const writes = reads.filter(({ statement }) => !statement.isRead);
    if (validates || writes.length > 0) {
      // What is to be compared with the rows, or to see a write, is read.
      for (const read of reads) {
        if (read.engine instanceof CachedEngine) {
          read.engine = read.engine.origin;
        }
      }
    }
    if (writes.length === 0) return await work();
    const held = Map.groupBy(
      writes,
      ({ engine }) => unit.held?.has(engine) ?? false,
    );
    const statementsOf = (isHeld: boolean) =>
      held.get(isHeld)?.map(({ statement }) => statement) ?? [];
    const now = { works: [], statements: statementsOf(false) };
    try {
      const rows = await work();
      writtenBy(unit).statements.push(...statementsOf(true));
      await invalidate(unit, now);
      return rows;
    } catch (error) {
      if (mayBeWritten(error)) await invalidate(unit, now);
      throw error;
    }
  },
};

/** Whether something was written, or nobody knows, though there was an error. */
function mayBeWritten(error: unknown): boolean {
  return error instanceof PartialCommitError ||
    error instanceof ConnectionError || error instanceof TimeoutError;
}

/** The keys that a row had and has, of one column; none where that cannot be told. */
function keysOf({ table, where, state }: Work): unknown[] {
  const [key, another] = table.primaryKey;
  const own = state?.mapper.tables.find((one) => one.table === table);
  if (!key || another || !own || !state) return [];
  return [where.get(key), state.primaryKey[own.key.indexOf(key)]]
    .filter((one) => one !== undefined && one !== null);
}

/** Whether a row is written as it is, to find out that it still is. */
function isGuard({ kind, values, where }: Work): boolean {
  return kind === "update" &&
    [...values].every(([column, value]) => where.get(column) === value);
}

/** Tells the regions of what was written. Keys that the database made are known by now. */
async function invalidate(
  { objects }: OpenUnit,
  { works, statements }: Written = { works: [], statements: [] },
): Promise<void> {
  if (works.length + statements.length === 0) return;
  const rows = new WrittenRows();
  for (const work of works) rows.add(work.table, work.kind, keysOf(work));
  for (const statement of statements) rows.addAll(statement);
  await Promise.all([...followed].map(async (ref) => {
    const region = ref.deref();
    if (!region) return followed.delete(ref);
    const tags = rows.tags(isByRow(region));
    if (tags.length === 0) return;
    const told = region.invalidateTags(tags).catch((error) =>
      // The rows are written, whatever becomes of the cache.
      objects.warn(
        `Cannot invalidate what region "${region.name}" keeps of ${
          tags.map((tag) => `"${tag}"`).join(", ")
        }: ${
          error instanceof Error ? error.message : error
        }; it is answered until it expires`,
      )
    );
    await (known.get(region)?.inBackground
      ? platformRuntime().waitUntil(told)
      : told);
  }));
}
