import type { Compiler } from "./compiler.ts";
import { Node, type Part } from "./node.ts";
import { BOOLEAN, guessType, LIST, TEXT } from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** A value, or an expression that gives one. */
export type Operand<T> = T | Expression<T>;

/** What a column or expression of type `T` can be compared with. */
export type Comparable<T> = T | null | Expression<T | null>;

/** Anything that can stand behind IN: values and expressions, or a query. */
export type InOperand<T> =
  | readonly (T | Expression<T>)[]
  | (Node & { readonly isQuery: true });

/**
 * Something with a value in SQL: a column, a parameter, a function, an operator.
 *
 * @typeParam T The value as the program sees it.
 */
export abstract class Expression<T> extends Node {
  /** Never present: carries the value's type. */
  declare readonly "~value": T;
  /** The type of its value, where one is known. */
  readonly type: SqlType | undefined;

  /** Makes an expression of a type. */
  constructor(type: SqlType | undefined) {
    super();
    this.type = type;
  }

  /** What it is called in a result that gives it no other name. */
  get resultName(): string {
    return "anon";
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
  /**
   * Among values, or among the rows of a query of one column. Nothing is among
   * no values, not even NULL.
   */
  in(values: InOperand<T>): Expression<boolean> {
    return new In(this, inRight(values, this.type), false);
  }
  /** Not among values, or not among the rows of a query. */
  notIn(values: InOperand<T>): Expression<boolean> {
    return new In(this, inRight(values, this.type), true);
  }
  /** Is NULL. */
  isNull(): Expression<boolean> {
    return new Phrase("null", [this, " IS NULL"], BOOLEAN, 4, 5);
  }
  /** Is not NULL. */
  isNotNull(): Expression<boolean> {
    return new Phrase("notNull", [this, " IS NOT NULL"], BOOLEAN, 4, 5);
  }
  /** Matches a pattern of `%` and `_`; `escape` makes the one behind it plain. */
  like(pattern: Operand<string>, escape?: string): Expression<boolean> {
    return new Like("LIKE", this, operand(pattern, TEXT), escape);
  }
  /** Sorts from high to low. */
  desc(): Expression<T> {
    return suffixed(this, " DESC");
  }
  /** Sorts from low to high. */
  asc(): Expression<T> {
    return suffixed(this, " ASC");
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
  ): Expression<R> {
    const own = this.type;
    const coerced = own?.coerceComparedValue?.(operator, other) ?? own;
    return new Operation(operator, [this, operand(other, coerced)], type);
  }
  /** Names it in the result. */
  as(label: string): Labeled<T> {
    return new Labeled(this, label);
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
  /** @ignore */
  override get kind(): string {
    return "bind";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.bind(this);
  }
}

/** Words and nodes in turn: what needs no class of its own. */
export class Phrase<T> extends Expression<T> {
  /** The name under which a dialect overrides it. */
  override readonly kind: string;
  /** Words and nodes in turn. */
  readonly parts: readonly Part[];
  readonly #precedence: number;
  readonly #inner: number;
  /** Strings words and nodes together; nodes looser than `inner` get brackets. */
  constructor(
    kind: string,
    parts: readonly Part[],
    type: SqlType | undefined,
    precedence = 10,
    inner = 0,
  ) {
    super(type);
    this.kind = kind;
    this.parts = parts;
    this.#precedence = precedence;
    this.#inner = inner;
  }
  /** @ignore */
  override get precedence(): number {
    return this.#precedence;
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.phrase(this.parts, this.#inner, true);
  }
}

/** SQL text that stands as it is, of which the library knows what it says. */
export class Raw<T = unknown> extends Phrase<T> {
  /** Wraps text. */
  constructor(sql: string, type?: SqlType, precedence?: number) {
    super("raw", [sql], type, precedence);
  }
}

/** Terms with an operator between them: two, or as many as it chains. */
export class Operation<T> extends Expression<T> {
  /** The operator's text. */
  readonly operator: string;
  /** What stands before, between and behind. */
  readonly terms: readonly Expression<unknown>[];
  /** Joins terms. */
  constructor(
    operator: string,
    terms: readonly Expression<unknown>[],
    type: SqlType | undefined,
  ) {
    super(type);
    this.operator = operator;
    this.terms = terms;
  }
  /** @ignore */
  override get kind(): string {
    return "operation";
  }
  /** @ignore */
  override get precedence(): number {
    const { operator } = this;
    return operator === "AND" ? 2 : operator === "OR" ? 1 : 4;
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { operator, terms, precedence } = this;
    // How tightly another operator binds, only the database knows.
    const inner = precedence < 4 || /^[<=>]+$/.test(operator)
      ? precedence + 1
      : 9;
    writeTree(
      operator,
      terms.map((term) => () => compiler.operand(term, inner)),
      compiler,
    );
  }
}

/** Terms from which on a chain is written as a tree. */
const FLAT = 16;

/**
 * Writes an operator between terms: `a OR b OR c …` is as deep as it is long;
 * `(a OR b) OR (c OR d)` is not.
 */
export function writeTree(
  operator: string,
  terms: readonly (() => void)[],
  compiler: Compiler,
): void {
  if (terms.length <= FLAT || !compiler.dialect.limits?.depth) {
    return compiler.each(terms, ` ${operator} `, (write) => write());
  }
  const middle = terms.length >> 1;
  compiler.write("(");
  writeTree(operator, terms.slice(0, middle), compiler);
  compiler.write(`) ${operator} (`);
  writeTree(operator, terms.slice(middle), compiler);
  compiler.write(")");
}

/** A LIKE: a kind of its own, since platforms limit its pattern. */
export class Like extends Phrase<boolean> {
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
    super(
      "like",
      [
        left,
        ` ${operator} `,
        pattern,
        ...escape ? [` ESCAPE '${escape.replaceAll("'", "''")}'`] : [],
      ],
      BOOLEAN,
      4,
      5,
    );
    this.left = left;
    this.pattern = pattern;
    this.escape = escape;
  }
}

/** IN a list or a query. */
export class In extends Expression<boolean> {
  /** What is looked for. */
  readonly left: Expression<unknown>;
  /** One parameter that holds the list, the list's items, or a query. */
  readonly right: Bind | readonly Expression<unknown>[] | Node;
  /** Whether it is NOT IN. */
  readonly negated: boolean;
  /** Looks for a value in a list or query. */
  constructor(
    left: Expression<unknown>,
    right: Bind | readonly Expression<unknown>[] | Node,
    negated: boolean,
  ) {
    super(BOOLEAN);
    this.left = left;
    this.right = right;
    this.negated = negated;
  }
  /** @ignore */
  override get kind(): string {
    return "in";
  }
  /** @ignore */
  override get precedence(): number {
    return 4;
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { right, negated } = this;
    compiler.operand(this.left, 5);
    if (right instanceof Bind) {
      return compiler.dialect.inList(right, negated, compiler);
    }
    compiler.write(negated ? " NOT IN (" : " IN (", right, ")");
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
  /** @ignore */
  override get kind(): string {
    return "labeled";
  }
  /** The name. */
  override get resultName(): string {
    return this.label;
  }
  /** @ignore */
  override get precedence(): number {
    return this.inner.precedence;
  }
  // The name belongs to the result list; elsewhere the expression itself stands.
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.visit(this.inner);
  }
}

/** Turns a value into an expression: expressions stay, the rest is bound. */
export function operand(value: unknown, type?: SqlType): Expression<unknown> {
  return value instanceof Expression
    ? value
    : new Bind(value, type ?? guessType(value));
}

/** Puts words behind an expression: an order, a collation. */
export function suffixed<T>(
  expression: Expression<T>,
  words: string,
): Expression<T> {
  return new Phrase("suffix", [expression, words], expression.type, 0);
}

function inRight(
  values: readonly unknown[] | Node,
  type: SqlType | undefined,
): In["right"] {
  if (values instanceof Node) return values;
  const item = type ?? guessType(values.find((value) => value !== null));
  // One parameter for the list: lists of all lengths share a text.
  return item && !values.some((value) => value instanceof Expression)
    ? new Bind(values, { ...LIST, item })
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
    term instanceof Operation && term.operator === operator
      ? term.terms
      : [term]
  );
  if (flat.length === 1) return flat[0] as Expression<boolean>;
  return flat.length === 0
    ? new Raw(operator === "AND" ? "1 = 1" : "1 = 0", BOOLEAN, 4)
    : new Operation(operator, flat, BOOLEAN);
}

/** The opposite. */
export function not(term: Expression<unknown>): Expression<boolean> {
  return term instanceof In
    ? new In(term.left, term.right, !term.negated)
    : new Phrase("not", ["NOT ", term], BOOLEAN, 3, 4);
}

/** A value as a parameter, of a type where the place does not say it. */
export function literal<T>(value: T, type?: SqlType<T>): Expression<T> {
  return new Bind(value, type ?? guessType(value));
}
