/**
 * The Core: schema, typed SQL, dialects and engines. It stands alone as a
 * query builder; the ORM and the migrations stand on it. It knows no vendor:
 * drivers are in `@aludel/aludel/backends/*`.
 *
 * | question | file |
 * | --- | --- |
 * | How is a table described? | `schema.ts`, `column.ts`, `constraint.ts`, `types.ts`, `type_decorator.ts` |
 * | How is a query built? | `select.ts`, `distinct_on.ts`, `lock.ts`, `with_only_columns.ts`, `alias.ts`, `subquery.ts`, `cte.ts`, `compound.ts` |
 * | How are rows written? | `insert.ts`, `insert_from_select.ts`, `upsert.ts`, `update.ts`, `delete.ts`, `delete_using.ts` |
 * | How is an expression built? | `expression.ts`, `operators.ts`, `arithmetic.ts`, `functions.ts`, `case.ts`, `window.ts`, `json_path.ts`, `text.ts` |
 * | How does a schema become text? | `ddl.ts`, `table_ddl.ts` |
 * | How does a statement become text? | `compiler.ts`, `dialects/`, and within a platform's limits: `limits.ts`, `limits/` |
 * | How does it reach a database? | `engine.ts`, `driver.ts`, `registry.ts` |
 * | What does a database look like already? | `reflection/` |
 * | What can go wrong? | `errors.ts` |
 *
 * @module
 */
export { Alias, alias, type ColumnsAs } from "./alias.ts";
export { concat, dividedBy, minus, plus, times } from "./arithmetic.ts";
export { batchWrites, generatedKey } from "./batch_writes.ts";
export { type Case, caseWhen } from "./case.ts";
export * from "./column.ts";
export {
  type BoundStatement,
  type CompiledStatement,
  Compiler,
  prepare,
  type PreparedStatement,
  quoteName,
  type ResultColumn,
  type Slot,
  tableName,
} from "./compiler.ts";
export {
  type CompoundOperator,
  type CompoundSelect,
  except,
  intersect,
  union,
  unionAll,
} from "./compound.ts";
export * from "./constraint.ts";
export { addCte, Cte, cte, type CteOptions, recursiveCte } from "./cte.ts";
export { Delete, deleteFrom, type WriteUsing } from "./delete.ts";
export { using } from "./delete_using.ts";
export * from "./dialect.ts";
export { distinctOn } from "./distinct_on.ts";
export {
  createAll,
  createStatements,
  dropAll,
  type SchemaOptions,
  type SchemaTarget,
} from "./ddl.ts";
export type {
  Assignment,
  Changes,
  Dml,
  KeyOf,
  Target,
  Values,
  Written,
} from "./dml.ts";
export * from "./driver.ts";
export * from "./held.ts";
export * from "./engine.ts";
export * from "./errors.ts";
export {
  and,
  Bind,
  type Comparable,
  Expression,
  In,
  type InOperand,
  Labeled,
  Like,
  literal,
  not,
  type Operand,
  operand,
  Operation,
  or,
  Phrase,
  Raw,
  type ValueOf,
} from "./expression.ts";
export { cartesianProduct, filterBy } from "./filter_by.ts";
export {
  type AnyColumns,
  Column,
  type Definition,
  FromClause,
  Join,
  type JoinKind,
} from "./from.ts";
export { fromsOf } from "./_froms.ts";
export * from "./functions.ts";
export { identifier } from "./identifier.ts";
export { inlineSql } from "./inline_sql.ts";
export { Insert, insert } from "./insert.ts";
export { insertFromSelect } from "./insert_from_select.ts";
export { jsonNull, JsonPath, jsonPath } from "./json_path.ts";
export { withinLimits } from "./limits.ts";
export { type LockOptions, withForUpdate } from "./lock.ts";
export { Node, type Part } from "./node.ts";
export {
  between,
  cast,
  collate,
  contains,
  endsWith,
  ilike,
  isDistinctFrom,
  isNotDistinctFrom,
  nullsFirst,
  nullsLast,
  startsWith,
  typeCoerce,
  type TypeOperand,
} from "./operators.ts";
export type {
  CheckFacts,
  ColumnFacts,
  ExcludeFacts,
  ForeignKeyFacts,
  IndexFacts,
  KeyFacts,
  SchemaFacts,
  TableFacts,
  ViewFacts,
} from "./reflection/facts.ts";
export {
  inspect,
  type Inspector,
  reflect,
  type ReflectOptions,
} from "./reflection/reflect.ts";
export * from "./registry.ts";
export * from "./result.ts";
export { type Hydrate, plainRow, readResult, Result } from "./rows.ts";
export type {
  Belongs,
  EntityLike,
  Flip,
  IsOf,
  ItemValue,
  JoinedRow,
  Nulled,
  NullIf,
  RowFunction,
  rowFunction,
  SelectedRow,
  SelectItem,
  SelectOption,
  SelectRecord,
  SourceOf,
  SourcesOf,
  WithOptions,
} from "./row_types.ts";
export * from "./schema.ts";
export { forwardKeys, sortTables } from "./_table_order.ts";
export { translateSchemas } from "./schema_translate.ts";
export {
  fromOf,
  itemOf,
  type JoinTarget,
  Select,
  select,
  type SelectState,
} from "./select.ts";
export * from "./statement.ts";
export {
  type ColumnsOfRow,
  correlate,
  exists,
  lateral,
  scalarSubquery,
  Subquery,
  subquery,
} from "./subquery.ts";
export * from "./transaction.ts";
export {
  autoincrementWords,
  columnSql,
  type ConstraintLine,
  constraintName,
  constraintSql,
  createIndex,
  type CreateOptions,
  createTable,
  defaultSql,
  indexName,
  referencesSql,
  strictWords,
  typeSql,
} from "./table_ddl.ts";
export { fragment, sql, TextStatement } from "./text.ts";
export { Tuple, tuple, type TupleOperand } from "./tuple.ts";
export { typeDecorator, type TypeDecoratorOptions } from "./type_decorator.ts";
export {
  resultReader,
  rootType,
  type SqlType,
  type SqlValue,
  toDriver,
  type TypeRules,
} from "./types.ts";
export { Update, update } from "./update.ts";
export {
  type ConflictUpdate,
  excluded,
  onConflictDoNothing,
  onConflictDoUpdate,
} from "./upsert.ts";
export * from "./violations.ts";
export {
  filter,
  type FrameBounds,
  over,
  type OverOptions,
  withinGroup,
} from "./window.ts";
export { withOnlyColumns } from "./with_only_columns.ts";
export {
  classifyPostgres,
  type PostgresErrorFields,
} from "./dialects/postgres_errors.ts";
export { classifySqlite } from "./dialects/sqlite_errors.ts";
export { postgres } from "./dialects/postgres.ts";
export { postgresReader } from "./dialects/postgres_readers.ts";
export { commentStatements, createType } from "./dialects/postgres_ddl.ts";
export { sqlite } from "./dialects/sqlite.ts";
