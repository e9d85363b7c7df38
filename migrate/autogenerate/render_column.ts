import {
  type ColumnSpec,
  type Constraint,
  type Dialect,
  type ExcludeConstraint,
  Expression,
  type ForeignKeyOptions,
  type IndexConstraint,
  inlineSql,
  Phrase,
  type PrimaryKeyConstraint,
  rootType,
  type SqlType,
  type UniqueConstraint,
} from "../../sql/mod.ts";
import type { AnyColumn } from "../operations/operation.ts";
import { call, type Imports, listOf, objectOf, quoted } from "./source.ts";

/** Where source is written. */
export interface RenderContext {
  /** The language in which expressions are written. */
  readonly dialect: Dialect;
  /** The imports of the file. */
  readonly imports: Imports;
  /** Writes a type or an expression in a way of its own. */
  readonly item: (kind: RenderedItem, object: unknown) => string | undefined;
}

/** The kinds of things whose source may be written by a function of yours. */
export type RenderedItem = "type" | "column" | "constraint" | "expression";

/** A column as it is described in source. */
export function columnSource(
  column: AnyColumn,
  context: RenderContext,
): string {
  const own = context.item("column", column);
  if (own !== undefined) return own;
  const { spec } = column;
  const sql = (expression: Expression<unknown>) =>
    expressionSource(expression, context);
  let source = typeSource(spec.type, context);
  const then = (name: string, ...args: (string | undefined)[]) => {
    source += call(`.${name}`, ...args);
  };
  if (spec.primaryKey) {
    then("primaryKey", objectOf({ autoincrement: saying(spec.autoincrement) }));
  } else if (spec.autoincrement !== undefined) {
    then("with", `{ autoincrement: ${spec.autoincrement} }`);
  }
  if (spec.nullable) then("nullable");
  if (spec.references) {
    const { target, ...options } = spec.references;
    then("references", quoted(target), objectOf(foreignKeyOptions(options)));
  }
  if (spec.unique) then("unique");
  if (spec.index) then("index");
  if (spec.serverDefault !== undefined) {
    then("serverDefault", defaultSource(spec.serverDefault, context));
  }
  if (spec.computed) {
    const { sql: expression, stored } = spec.computed;
    then("computed", sql(expression), stored ? "{ stored: true }" : undefined);
  }
  if (spec.identity) then("identity", identitySource(spec.identity));
  if (spec.comment !== undefined) then("comment", quoted(spec.comment));
  return source;
}

function saying(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function identitySource(
  identity: NonNullable<ColumnSpec["identity"]>,
): string | undefined {
  return identity === "always" ? quoted(identity) : undefined;
}

/** What the database fills in, in source. */
export function defaultSource(
  value: NonNullable<ColumnSpec["serverDefault"]>,
  context: RenderContext,
): string {
  return value instanceof Expression
    ? expressionSource(value, context)
    : JSON.stringify(value);
}

/** Types that a function without arguments makes. */
const PLAIN =
  /^(?:integer|bigint|text|boolean|real|date|time|timestamp|instant|interval|json|blob|uuid)$/;

/** A column of a type in source. A type of the user's own is written as what it stands on. */
export function typeSource(type: SqlType, context: RenderContext): string {
  const own = context.item("type", type);
  if (own !== undefined) return own;
  const { imports } = context;
  const { name, args, item } = rootType(type);
  const values = args.map((arg) => JSON.stringify(arg));
  if (PLAIN.test(name)) return call(imports.use(name));
  switch (name) {
    case "varchar":
      return call(imports.use("text"), ...values);
    case "numeric":
      return call(imports.use("numeric"), ...values);
    case "enum":
      return call(
        imports.use("enumeration"),
        values[0],
        listOf(values.slice(1)),
      );
    case "array":
      return call(
        imports.use("array"),
        item ? typeSource(item, context) : call(imports.use("text")),
      );
    default:
      return call(
        imports.use("column"),
        `{ name: ${quoted(name)}, args: ${listOf(values)} }`,
      );
  }
}

/** An expression in source: its SQL. */
export function expressionSource(
  expression: Expression<unknown>,
  context: RenderContext,
): string {
  const own = context.item("expression", expression);
  if (own !== undefined) return own;
  if (expression instanceof Phrase && expression.kind === "suffix") {
    const [inner, suffix] = expression.parts;
    if (inner instanceof Expression && typeof suffix === "string") {
      // A direction stands outside the brackets of what it is about.
      return `${
        expressionSource(inner, context)
      }.${suffix.trim().toLowerCase()}()`;
    }
  }
  const sql = inlineSql(expression, context.dialect);
  return call(context.imports.use("text"), quoted(sql));
}

/** A constraint or index in source, as it stands beside the columns of a table. */
export function constraintSource(
  constraint: Constraint,
  context: RenderContext,
): string {
  const own = context.item("constraint", constraint);
  if (own !== undefined) return own;
  const { imports } = context;
  const { kind } = constraint;
  const given = nameSource(constraint, context);
  switch (constraint.kind) {
    case "check":
      return call(
        imports.use(kind),
        expressionSource(constraint.sql, context),
        given,
      );
    case "exclude":
      return call(
        imports.use(kind),
        waysSource(constraint, context),
        objectOf({ name: given, ...excludeOptions(constraint, context) }),
      );
    case "foreignKey": {
      const { kind: _k, columns, targets, ...options } = constraint;
      return call(
        imports.use(kind),
        namesSource(columns),
        namesSource(targets),
        objectOf(foreignKeyOptions(options)),
      );
    }
    case "index":
      return call(
        imports.use(kind),
        given,
        partsSource(constraint.columns, context),
        objectOf(indexOptions(constraint, context)),
      );
    default:
      return call(
        imports.use(kind),
        namesSource(constraint.columns),
        given,
        keyOptions(constraint),
      );
  }
}

/** A constraint's name in source; one that no convention may change says so. */
export function nameSource(
  { name, ...rest }: Constraint,
  { imports }: RenderContext,
): string | undefined {
  if (name === undefined) return undefined;
  return "isNameFinal" in rest && rest.isNameFinal
    ? call(imports.use("finalName"), quoted(name))
    : quoted(name);
}

/** What an exclusion constraint compares, in source. */
export function waysSource(
  { columns, operators }: ExcludeConstraint,
  context: RenderContext,
): string {
  return listOf(
    columns.map((part, at) =>
      listOf([partSource(part, context), quoted(operators[at] ?? "")])
    ),
  );
}

/** The settings of an exclusion constraint in source. */
export function excludeOptions(
  { using, where, deferrable, initiallyDeferred }: ExcludeConstraint,
  context: RenderContext,
): Record<string, string | undefined> {
  return {
    using: JSON.stringify(using),
    where: where && expressionSource(where, context),
    deferrable: deferrable ? "true" : undefined,
    initiallyDeferred: initiallyDeferred ? "true" : undefined,
  };
}

/** The settings of a unique constraint or primary key in source. */
export function keyOptions(
  { kind: _k, name: _n, columns: _c, ...options }:
    | UniqueConstraint
    | PrimaryKeyConstraint,
): string | undefined {
  return objectOf(jsonOf(options));
}

/** Names in source. */
export function namesSource(names: readonly string[]): string {
  return listOf(names.map(quoted));
}

/** What an index is over, in source. */
export function partsSource(
  parts: readonly (string | Expression<unknown>)[],
  context: RenderContext,
): string {
  return listOf(parts.map((part) => partSource(part, context)));
}

function partSource(
  part: string | Expression<unknown>,
  context: RenderContext,
): string {
  return typeof part === "string"
    ? quoted(part)
    : expressionSource(part, context);
}

/** The settings of an index in source. */
export function indexOptions(
  { unique, where, using, include, nullsNotDistinct }: IndexConstraint,
  context: RenderContext,
): Record<string, string | undefined> {
  return {
    unique: unique ? "true" : undefined,
    where: where && expressionSource(where, context),
    using: JSON.stringify(using),
    include: include && namesSource(include),
    nullsNotDistinct: nullsNotDistinct ? "true" : undefined,
  };
}

/** The settings of a foreign key in source. */
export function foreignKeyOptions(
  options: ForeignKeyOptions,
): Record<string, string | undefined> {
  return jsonOf(options);
}

/** Settings that are plain data, each in source. */
function jsonOf(options: object): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, JSON.stringify(value)]),
  );
}
