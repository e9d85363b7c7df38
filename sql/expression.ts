import type { Compiler } from "./compiler.ts";
import { CompileError } from "./errors.ts";
import { Node } from "./node.ts";
import { type SqlType, sqlType } from "./types.ts";

declare const expressionValue: unique symbol;

/** A value, or an expression that gives one. */
export type Operand<T> = T | Expression<T>;

/** What a column or expression of type `T` can be compared with. */
export type Comparable<T> = Operand<T> | Operand<NonNullable<T>>;

/** Anything that can stand behind IN. */
export type InOperand<T> =
  | readonly (T | Expression<T>)[]
  | (Node & { readonly isQuery: true });

const BOOLEAN: SqlType<boolean> = sqlTypeOnce("boolean");
const INTEGER: SqlType<number> = sqlTypeOnce("integer");
const TEXT: SqlType<string> = sqlTypeOnce("text");

function sqlTypeOnce<T>(name: string): SqlType<T> {
  return { name, args: [] };
}

/**
 * Something with a value in SQL: a column, a parameter, a function, an operator.
 *
 * @typeParam T The value as the program sees it.
 */
export abstract class Expression<T> extends Node {
  /** Never present: carries the value's type. */
  declare readonly [expressionValue]: T;
  /** The type of its value, where one is known. */
  readonly type: SqlType | undefined;

  /** Makes an expression of a type. */
  constructor(type: SqlType | undefined) {
    super();
    this.type = type;
  }

  /** How tightly it binds; what binds looser gets brackets. */
  get precedence(): number {
    return 10;
  }

  /** Equal; `null` is asked with IS NULL. */
  eq(other: Comparable<T>): Expression<boolean> {
    return other === null ? this.isNull() : this.op("=", other);
  }
  /** Not equal; `null` is asked with IS NOT NULL. */
  ne(other: Comparable<T>): Expression<boolean> {
    return other === null ? this.isNotNull() : this.op("<>", other);
  }
  /** Less than. */
  lt(other: Comparable<T>): Expression<boolean> {
    return this.op("<", other);
  }
  /** Less than or equal. */
  lte(other: Comparable<T>): Expression<boolean> {
    return this.op("<=", other);
  }
  /** Greater than. */
  gt(other: Comparable<T>): Expression<boolean> {
    return this.op(">", other);
  }
  /** Greater than or equal. */
  gte(other: Comparable<T>): Expression<boolean> {
    return this.op(">=", other);
  }
  /** Among values, or among the rows of a query of one column. */
  in(values: InOperand<T>): Expression<boolean> {
    return new In(this, inRight(values, this.type), false);
  }
  /** Not among values, or not among the rows of a query. */
  notIn(values: InOperand<T>): Expression<boolean> {
    return new In(this, inRight(values, this.type), true);
  }
  /** Is NULL. */
  isNull(): Expression<boolean> {
    return new Binary("IS", this, NULL, BOOLEAN, 4);
  }
  /** Is not NULL. */
  isNotNull(): Expression<boolean> {
    return new Binary("IS NOT", this, NULL, BOOLEAN, 4);
  }
  /** Between two values, both included. */
  between(low: Comparable<T>, high: Comparable<T>): Expression<boolean> {
    return new Binary(
      "BETWEEN",
      this,
      new Binary(
        "AND",
        operand(low, this.type),
        operand(high, this.type),
        BOOLEAN,
        5,
      ),
      BOOLEAN,
      4,
    );
  }
  /** Matches a pattern of `%` and `_`. */
  like(pattern: Operand<string>): Expression<boolean> {
    return new Like("LIKE", this, operand(pattern, TEXT));
  }
  /** Sorts from high to low. */
  desc(): Expression<T> {
    return new Suffix(this, "DESC");
  }
  /** Sorts from low to high. */
  asc(): Expression<T> {
    return new Suffix(this, "ASC");
  }
  /** Both this and the others. */
  and(...others: Expression<unknown>[]): Expression<boolean> {
    return and(this, ...others);
  }
  /** This or one of the others. */
  or(...others: Expression<unknown>[]): Expression<boolean> {
    return or(this, ...others);
  }
  /** Any infix operator; its result is a boolean unless a type is given. */
  op<R = boolean>(
    operator: string,
    other: unknown,
    type: SqlType<R> = BOOLEAN as SqlType<R>,
    precedence = 4,
  ): Expression<R> {
    return new Binary(
      operator,
      this,
      operand(other, this.type),
      type,
      precedence,
    );
  }
  /** Sum. */
  plus(other: Operand<T>): Expression<T> {
    return this.#arithmetic("+", other, 6);
  }
  /** Difference. */
  minus(other: Operand<T>): Expression<T> {
    return this.#arithmetic("-", other, 6);
  }
  /** Product. */
  times(other: Operand<T>): Expression<T> {
    return this.#arithmetic("*", other, 7);
  }
  /** Quotient, as the database divides. */
  dividedBy(other: Operand<T>): Expression<T> {
    return this.#arithmetic("/", other, 7);
  }
  /** This text followed by another. */
  concat(other: Operand<string>): Expression<string> {
    return new Binary("||", this, operand(other, TEXT), TEXT, 8);
  }
  /** Names it in the result. */
  as(label: string): Labeled<T> {
    return new Labeled(this, label);
  }

  #arithmetic(
    operator: string,
    other: Operand<T>,
    precedence: number,
  ): Expression<T> {
    return new Binary(
      operator,
      this,
      operand(other, this.type),
      this.type,
      precedence,
    );
  }
}

/** The value type of an expression. */
export type ValueOf<E> = E extends Expression<infer T> ? T : never;

/** A parameter: its value is sent beside the text, never in it. */
export class Bind<T = unknown> extends Expression<T> {
  /** The value as the program sees it. */
  readonly value: unknown;
  /** Binds a value of a type. */
  constructor(value: unknown, type: SqlType | undefined) {
    super(type);
    this.value = value;
  }
  override get kind(): string {
    return "bind";
  }
  override compile(compiler: Compiler): void {
    compiler.bind(this);
  }
}

/** SQL text that stands as it is; only the library and `text()` make it. */
export class Raw<T = unknown> extends Expression<T> {
  /** The text. */
  readonly sql: string;
  /** Wraps text. */
  constructor(sql: string, type?: SqlType) {
    super(type);
    this.sql = sql;
  }
  override get kind(): string {
    return "raw";
  }
  override compile(compiler: Compiler): void {
    compiler.write(this.sql);
  }
}

const NULL: Expression<null> = /* @__PURE__ */ new Raw("NULL");

/** Two operands and what stands between them. */
export class Binary<T> extends Expression<T> {
  /** The operator's text. */
  readonly operator: string;
  /** What stands before it. */
  readonly left: Expression<unknown>;
  /** What stands after it. */
  readonly right: Expression<unknown>;
  readonly #precedence: number;
  /** Joins two operands. */
  constructor(
    operator: string,
    left: Expression<unknown>,
    right: Expression<unknown>,
    type: SqlType | undefined,
    precedence: number,
  ) {
    super(type);
    this.operator = operator;
    this.left = left;
    this.right = right;
    this.#precedence = precedence;
  }
  override get kind(): string {
    return "binary";
  }
  override get precedence(): number {
    return this.#precedence;
  }
  override compile(compiler: Compiler): void {
    compiler.operand(this.left, this.#precedence);
    compiler.write(` ${this.operator} `);
    compiler.operand(this.right, this.#precedence + 1);
  }
}

/** A LIKE: a kind of its own, since platforms limit its pattern. */
export class Like extends Expression<boolean> {
  /** `LIKE` or `ILIKE`. */
  readonly operator: string;
  /** The text that is looked at. */
  readonly left: Expression<unknown>;
  /** The pattern. */
  readonly pattern: Expression<unknown>;
  /** The character that makes `%` and `_` plain. */
  readonly escape: string | undefined;
  /** Matches a text with a pattern. */
  constructor(
    operator: string,
    left: Expression<unknown>,
    pattern: Expression<unknown>,
    escape?: string,
  ) {
    super(BOOLEAN);
    this.operator = operator;
    this.left = left;
    this.pattern = pattern;
    this.escape = escape;
  }
  override get kind(): string {
    return "like";
  }
  override get precedence(): number {
    return 4;
  }
  override compile(compiler: Compiler): void {
    compiler.operand(this.left, 5);
    compiler.write(` ${this.operator} `);
    compiler.operand(this.pattern, 5);
    if (this.escape) compiler.write(` ESCAPE '${this.escape}'`);
  }
}

/** AND and OR over any number of terms. */
export class Logical extends Expression<boolean> {
  /** `AND` or `OR`. */
  readonly operator: "AND" | "OR";
  /** At least two terms. */
  readonly terms: readonly Expression<unknown>[];
  /** Joins terms. */
  constructor(operator: "AND" | "OR", terms: readonly Expression<unknown>[]) {
    super(BOOLEAN);
    this.operator = operator;
    this.terms = terms;
  }
  override get kind(): string {
    return "logical";
  }
  override get precedence(): number {
    return this.operator === "AND" ? 2 : 1;
  }
  override compile(compiler: Compiler): void {
    compiler.each(
      this.terms,
      ` ${this.operator} `,
      (term) => compiler.operand(term, this.precedence + 1),
    );
  }
}

/** NOT. */
export class Not extends Expression<boolean> {
  /** What is denied. */
  readonly term: Expression<unknown>;
  /** Denies a term. */
  constructor(term: Expression<unknown>) {
    super(BOOLEAN);
    this.term = term;
  }
  override get kind(): string {
    return "not";
  }
  override get precedence(): number {
    return 3;
  }
  override compile(compiler: Compiler): void {
    compiler.write("NOT ");
    compiler.operand(this.term, 3);
  }
}

/** IN a list or a query. */
export class In extends Expression<boolean> {
  /** What is looked for. */
  readonly left: Expression<unknown>;
  /** The list's items, or a query of one column. */
  readonly right: readonly Expression<unknown>[] | Node;
  /** Whether it is NOT IN. */
  readonly negated: boolean;
  /** Looks for a value in a list or query. */
  constructor(
    left: Expression<unknown>,
    right: readonly Expression<unknown>[] | Node,
    negated: boolean,
  ) {
    super(BOOLEAN);
    this.left = left;
    this.right = right;
    this.negated = negated;
  }
  override get kind(): string {
    return "in";
  }
  override get precedence(): number {
    return 4;
  }
  override compile(compiler: Compiler): void {
    compiler.operand(this.left, 5);
    compiler.write(this.negated ? " NOT IN (" : " IN (");
    const { right } = this;
    if (right instanceof Node) compiler.visit(right);
    // No row is in an empty list, and every row is outside it, NULL included.
    else if (right.length === 0) compiler.write("SELECT 1 WHERE 1 = 0");
    else compiler.list(right);
    compiler.write(")");
  }
}

/** What follows an expression: DESC, NULLS LAST, a collation. */
export class Suffix<T> extends Expression<T> {
  /** What it follows. */
  readonly inner: Expression<unknown>;
  /** The words. */
  readonly suffix: string;
  /** Puts words behind an expression. */
  constructor(inner: Expression<unknown>, suffix: string) {
    super(inner.type);
    this.inner = inner;
    this.suffix = suffix;
  }
  override get kind(): string {
    return "suffix";
  }
  override get precedence(): number {
    return 0;
  }
  override compile(compiler: Compiler): void {
    compiler.visit(this.inner);
    compiler.write(` ${this.suffix}`);
  }
}

/** An expression with a name in the result. */
export class Labeled<T> extends Expression<T> {
  /** What is named. */
  readonly inner: Expression<T>;
  /** The name. */
  readonly label: string;
  /** Names an expression. */
  constructor(inner: Expression<T>, label: string) {
    super(inner.type);
    this.inner = inner;
    this.label = label;
  }
  override get kind(): string {
    return "labeled";
  }
  override get precedence(): number {
    return this.inner.precedence;
  }
  // The name belongs to the result list; elsewhere the expression itself stands.
  override compile(compiler: Compiler): void {
    compiler.visit(this.inner);
  }
}

/** A function call. */
export class Func<T> extends Expression<T> {
  /** The function's name, checked to be a plain word. */
  readonly name: string;
  /** What it is called with. */
  readonly args: readonly Expression<unknown>[];
  /** `DISTINCT` before the arguments. */
  readonly distinct: boolean;
  /** Calls a function. */
  constructor(
    name: string,
    args: readonly Expression<unknown>[],
    type: SqlType | undefined,
    distinct = false,
  ) {
    super(type);
    if (!/^[a-zA-Z_][\w.]*$/.test(name)) {
      throw new CompileError(
        "Cannot call a function whose name is not a plain word; use text() for other syntax",
      );
    }
    this.name = name;
    this.args = args;
    this.distinct = distinct;
  }
  override get kind(): string {
    return "func";
  }
  override compile(compiler: Compiler): void {
    compiler.write(`${this.name}(${this.distinct ? "DISTINCT " : ""}`);
    compiler.list(this.args);
    compiler.write(")");
  }
}

/** Several values in brackets: `(a, b)`. */
export class Tuple extends Expression<unknown> {
  /** The values. */
  readonly items: readonly Expression<unknown>[];
  /** Brackets values. */
  constructor(items: readonly Expression<unknown>[]) {
    super(undefined);
    this.items = items;
  }
  override get kind(): string {
    return "tuple";
  }
  override compile(compiler: Compiler): void {
    compiler.write("(");
    compiler.list(this.items);
    compiler.write(")");
  }
}

/** Turns a value into an expression: expressions stay, the rest is bound. */
export function operand(value: unknown, type?: SqlType): Expression<unknown> {
  return value instanceof Expression ? value : new Bind(value, type);
}

function inRight(
  values: readonly unknown[] | Node,
  type: SqlType | undefined,
): readonly Expression<unknown>[] | Node {
  return values instanceof Node
    ? values
    : values.map((value) => operand(value, type));
}

/** All of the terms. Without any, it is true. */
export function and(...terms: Expression<unknown>[]): Expression<boolean> {
  return logical("AND", terms);
}

/** At least one of the terms. Without any, it is false. */
export function or(...terms: Expression<unknown>[]): Expression<boolean> {
  return logical("OR", terms);
}

function logical(
  operator: "AND" | "OR",
  terms: readonly Expression<unknown>[],
): Expression<boolean> {
  // `a AND (b AND c)` is one list: it keeps the text short and the tree flat.
  const flat = terms.flatMap((term) =>
    term instanceof Logical && term.operator === operator ? term.terms : [term]
  );
  if (flat.length === 1) return flat[0] as Expression<boolean>;
  return flat.length === 0
    ? new Raw(operator === "AND" ? "1 = 1" : "1 = 0", BOOLEAN)
    : new Logical(operator, flat);
}

/** The opposite. */
export function not(term: Expression<unknown>): Expression<boolean> {
  return term instanceof In
    ? new In(term.left, term.right, !term.negated)
    : new Not(term);
}

/** A value as a parameter, of a type where the place does not say it. */
export function literal<T>(value: T, type?: SqlType<T>): Expression<T> {
  return new Bind(value, type ?? guessType(value));
}

function guessType(value: unknown): SqlType | undefined {
  return typeof value === "string"
    ? TEXT
    : typeof value === "boolean"
    ? BOOLEAN
    : typeof value === "number"
    ? Number.isInteger(value) ? INTEGER : sqlType("real")
    : typeof value === "bigint"
    ? sqlType("bigint")
    : value instanceof Date
    ? sqlType("timestamp")
    : undefined;
}

/** The types that expressions make by themselves. */
export const TYPES: {
  readonly boolean: SqlType<boolean>;
  readonly integer: SqlType<number>;
  readonly text: SqlType<string>;
} = { boolean: BOOLEAN, integer: INTEGER, text: TEXT };
