import {
  type Column,
  type ColumnBuilder,
  type Expression,
  integer,
  type Optionality,
} from "../sql/mod.ts";
import { StateError } from "./errors.ts";

/**
 * Gives the version that follows another one, which is `undefined` before the
 * first. An expression leaves it to the database; its value comes back in the
 * same trip.
 */
export type VersionGenerator<T> = (
  version: T | undefined,
) => T | Expression<T>;

/** What a version column carries: its next value, nothing where it stays. */
export type NextVersion = (
  version: unknown,
  column: Column<unknown>,
) => unknown;

/**
 * A column that tells an object's versions apart, so that of two writers who
 * read the same one only the first wins: Fowler's Optimistic Offline Lock.
 * Every UPDATE and DELETE of the row asks for the version that was read; one
 * that finds another undoes the whole commit with a `StaleDataError`.
 *
 * It counts from 1, or is any column with a generator of its own. With `false`
 * the program sets it: always for a new object, and whenever it is to change.
 *
 * @example
 * ```ts
 * import { Entity, integer, Session, text, versionId } from "@aludel/aludel/orm";
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
 * class File extends Base.table("files", {
 *   name: text(),
 *   etag: versionId(text(), () => crypto.randomUUID()),
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * const page = new Page({ title: "draft" });
 * session.addAll([page, new File({ name: "a.txt" })]);
 * await session.commit();
 * page.title = "final";
 * await session.commit();
 * strictEqual(page.version, 2);
 * ```
 */
export function versionId(): ColumnBuilder<number, true>;
/** A column of your own, and what makes its values. */
export function versionId<T>(
  column: ColumnBuilder<T, Optionality>,
  next: VersionGenerator<T>,
): ColumnBuilder<T, true>;
/** A column of your own whose values the program sets. */
export function versionId<T>(
  column: ColumnBuilder<T, Optionality>,
  next: false,
): ColumnBuilder<T, false>;
export function versionId(
  column: ColumnBuilder<unknown, Optionality> = integer(),
  next: ((version: never) => unknown) | false = count,
): ColumnBuilder<unknown, boolean> {
  const made = column.with<unknown, true>({
    info: { ...column.spec.info, version: next || mustBeSet },
  });
  // Rows that are inserted without a unit of work have a first version as well.
  return next ? made.default(() => next(undefined as never)) : made;
}

/** The version that follows another; nothing where the program sets it. */
export function nextVersion(
  column: Column<unknown>,
  version: unknown,
): unknown {
  return (column.spec.info?.version as NextVersion)(version, column);
}

function count(version: number | undefined): number {
  return Number(version ?? 0) + 1;
}

function mustBeSet(
  version: unknown,
  { key, table }: Column<unknown>,
): undefined {
  if (version !== undefined) return;
  throw new StateError(
    `Cannot insert into "${table.labelPrefix}": its version "${key}" is not set; set it, or give versionId() a generator`,
  );
}
