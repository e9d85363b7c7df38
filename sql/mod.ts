/**
 * The Core: schema, typed SQL, dialects and engines. It stands alone as a
 * query builder; the ORM and the migrations stand on it. It knows no vendor:
 * drivers are in `@aludel/aludel/backends/*`.
 *
 * | question | file |
 * | --- | --- |
 * | How is a table described? | `schema.ts`, `column.ts`, `types.ts` |
 * | How is a statement built? | `select.ts`, `dml.ts`, `expression.ts`, `functions.ts`, `text.ts` |
 * | How does it become text? | `compiler.ts`, `dialects/` |
 * | How does it reach a database? | `engine.ts`, `driver.ts`, `registry.ts` |
 * | What does a database look like already? | `reflection/` |
 * | What can go wrong? | `errors.ts` |
 *
 * @module
 */
export * from "./column.ts";
export {
  type BoundStatement,
  type CompiledStatement,
  Compiler,
  inlineSql,
  prepare,
  type PreparedStatement,
  quoteName,
  type ResultColumn,
} from "./compiler.ts";
export * from "./dialect.ts";
export * from "./ddl.ts";
export * from "./dml.ts";
export * from "./driver.ts";
export * from "./engine.ts";
export * from "./errors.ts";
export {
  and,
  Binary,
  Bind,
  type Comparable,
  Expression,
  literal,
  not,
  type Operand,
  operand,
  or,
  Raw,
  Tuple,
  type ValueOf,
} from "./expression.ts";
export * from "./from.ts";
export { fromsOf } from "./_froms.ts";
export * from "./functions.ts";
export * from "./node.ts";
export type {
  CheckFacts,
  ColumnFacts,
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
export * from "./rows.ts";
export * from "./schema.ts";
export * from "./select.ts";
export * from "./statement.ts";
export * from "./transaction.ts";
export { sql, TextStatement } from "./text.ts";
export {
  resultReader,
  type SqlType,
  sqlType,
  type SqlValue,
  toDriver,
  type TypeRules,
} from "./types.ts";
export * from "./violations.ts";
export {
  classifyPostgres,
  type PostgresErrorFields,
} from "./dialects/postgres_errors.ts";
export { classifySqlite } from "./dialects/sqlite_errors.ts";
export { postgres } from "./dialects/postgres.ts";
export { postgresReader } from "./dialects/postgres_readers.ts";
export { commentStatements, createType } from "./dialects/postgres_ddl.ts";
export { sqlite } from "./dialects/sqlite.ts";
