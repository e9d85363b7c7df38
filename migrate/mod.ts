/**
 * Migrations: a graph of small revisions, each recorded as data before it is
 * an effect, and applied as one atomic batch.
 *
 * What it does: loads and checks a set of revisions, finds its way through
 * branches and merges, plans statements for a database, sends each revision so
 * that all of it happens once or nothing does, and keeps who did what when.
 * What it does not: read files or the terminal (that is the command line,
 * `migrate/cli`), or hold a connection open between revisions.
 *
 * @example A branch and a merge, up and down again
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createMigrator, revision } from "@aludel/aludel/migrate";
 * import { createEngine, integer, text } from "@aludel/aludel/sql";
 * import { deepEqual } from "node:assert/strict";
 *
 * const users = revision({
 *   revision: "1e0c77aa90b1",
 *   upgrade(op) {
 *     op.createTable("users", { id: integer().primaryKey(), mail: text() });
 *   },
 *   downgrade: "reverse",
 * });
 * const email = revision({
 *   revision: "9f3c1a2b7d40",
 *   downRevision: "1e0c77aa90b1",
 *   upgrade: (op) => op.renameColumn("users", "mail", "email"),
 *   downgrade: "reverse",
 * });
 * const posts = revision({
 *   revision: "c4d5e6f70a1b",
 *   downRevision: "1e0c77aa90b1",
 *   branchLabels: "blog",
 *   upgrade(op) {
 *     op.createTable("posts", { id: integer().primaryKey(), body: text() });
 *   },
 *   downgrade: "reverse",
 * });
 * const merged = revision({
 *   revision: "d00d5e6f70a1",
 *   downRevision: ["9f3c1a2b7d40", "c4d5e6f70a1b"],
 * });
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * const migrator = createMigrator({
 *   revisions: [users, email, posts, merged],
 *   engine,
 * });
 * const { heads, steps } = await migrator.upgrade("heads");
 * deepEqual(heads, ["d00d5e6f70a1"]);
 * deepEqual(steps.length, 4);
 * deepEqual((await migrator.downgrade("-1")).heads, [
 *   "9f3c1a2b7d40",
 *   "c4d5e6f70a1b",
 * ]);
 * ```
 *
 * | question | file |
 * | --- | --- |
 * | How is a revision written? | `revision.ts`, `operations/operations.ts`, `operations/table_changes.ts` |
 * | How do I add an operation of my own? | `operations/custom.ts` |
 * | How does it become data, its reverse, its digest? | `operations/` |
 * | Which revisions run, in which order? | `graph/` |
 * | What does the schema look like at some revision? | `schema/` |
 * | Which statements does a database need? | `dialects/`, `planner/` |
 * | What is sent, and what happens when two runners meet? | `runner/` |
 * | Where is it written what a database holds? | `store/` |
 * | How is a run written as a script, or for Wrangler? | `script.ts`, `d1_export.ts` |
 * | How are many databases brought up, all or each? | `fan_out.ts`, `transactions.ts` |
 * | What must the next revision do? | `autogenerate/` |
 * | What deserves a second look? | `lint.ts` |
 * | How do I draw or list revisions? | `listing/` |
 * | Does a database hold what the revisions say? | `condition.ts` |
 * | Where do I start? | `migrator.ts`, `migrator_options.ts` |
 *
 * @module
 */
export * from "./errors.ts";
export * from "./graph/errors.ts";
export * from "./operations/errors.ts";
export * from "./runner/errors.ts";
export { createMigrator, type Migrator } from "./migrator.ts";
export type { CheckResult, CurrentState, RepairResult } from "./condition.ts";
export type { MigrationEvent, MigratorOptions } from "./migrator_options.ts";
export type { RunResult } from "./runner/run.ts";
export {
  type RecordOperations,
  type Revision,
  revision,
  type RevisionContext,
  type RevisionOptions,
} from "./revision.ts";
export type { Chunk, DataMigration } from "./data_migration.ts";
export type * from "./operations/operation.ts";
export {
  type AlterTableOptions,
  type InSchema,
  TableOperations,
} from "./operations/table_operations.ts";
export {
  type OperationMaker,
  Operations,
  type OperationsOptions,
} from "./operations/operations.ts";
export {
  defineOperation,
  type Implementation,
  OperationDefinition,
  type OperationDefinitionOptions,
} from "./operations/custom.ts";
export {
  type AddColumnOptions,
  type AddConstraintOptions,
  type ConstraintName,
  type CreateIndexOptions,
  type DropConstraintOptions,
  type DropIndexOptions,
  type NamedConstraintOptions,
  TableChanges,
} from "./operations/table_changes.ts";
export {
  addRevisions,
  createRevisionMap,
  type RevisionMap,
  type RevisionSet,
} from "./graph/revision_map.ts";
export type { RevisionDeclaration, RevisionNode } from "./graph/node.ts";
export {
  getHeads,
  getRevision,
  getRevisions,
  type Identifier,
} from "./graph/identifiers.ts";
export { AppliedRevisions, type HeadChange } from "./graph/heads.ts";
export {
  downgradeScript,
  ensureVersionScript,
  type ScriptOptions,
  stampScript,
  upgradeScript,
} from "./script.ts";
export type { Segment, Step } from "./planner/plan.ts";
export { Planner, type PlanOptions } from "./planner/plan.ts";
export type { PlannedStatement } from "./planner/statement.ts";
export {
  type HistoryDirection,
  type HistoryEntry,
  type HistoryRow,
} from "./store/history.ts";
export { type StoredState, VersionStore } from "./store/version_store.ts";
export type { HistoryTable } from "./store/history_table.ts";
export type { VersionTableOptions } from "./store/options.ts";
export type { StoredTable } from "./store/stored_table.ts";
export type { VersionTable } from "./store/version_table.ts";
export type {
  Guard,
  MigrationDialect,
  RenderContext,
} from "./dialects/implementation.ts";
export {
  defineMigrations,
  type EngineSource,
  type EngineTarget,
  type MigrationsConfig,
  type PostWriteHook,
} from "./define.ts";
export {
  endpointDriver,
  type EndpointOptions,
  migrationEndpoint,
} from "./endpoint.ts";
export { fanOut, type FanOutEntry, type FanOutOptions } from "./fan_out.ts";
export { type D1MigrationFile, exportD1 } from "./d1_export.ts";
export { type ForeignHistory, readForeignHistory } from "./import_history.ts";
export * from "./autogenerate/mod.ts";
export { lint, type LintCode, type LintFinding } from "./lint.ts";
export { allOrNone, withinTransaction } from "./transactions.ts";
export { squash } from "./squash.ts";
export { drawGraph } from "./listing/graph_drawing.ts";
export { mermaidOf } from "./listing/mermaid.ts";
export {
  historyOf,
  type ListingOptions,
  revisionLine,
} from "./listing/lines.ts";
export type { TableDraft } from "./schema/draft.ts";
export { SchemaSnapshot } from "./schema/snapshot.ts";
