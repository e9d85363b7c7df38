import type { ColumnBuilder } from "./column.ts";
import type { Compiler } from "./compiler.ts";
import { quoteName } from "./compiler.ts";
import {
  Bind,
  type Comparable,
  Expression,
  Like,
  type Operand,
  operand,
  Phrase,
  suffixed,
} from "./expression.ts";
import { Node } from "./node.ts";
import { BOOLEAN, TEXT } from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** A type, or the description of a column of that type: `integer()`. */
export type TypeOperand<T> = SqlType<T> | ColumnBuilder<T, boolean>;

/** The type that is meant. */
export function typeOf<T>(type: TypeOperand<T>): SqlType {
  return "spec" in type ? type.spec.type : type;
}

/** Turns a value into another type in the database. */
export function cast<T>(
  value: unknown,
  type: TypeOperand<T>,
): Expression<T> {
  const to = typeOf(type);
  return new Phrase(
    "cast",
    ["CAST(", operand(value), " AS ", new TypeName(to), ")"],
    to,
  );
}

/** Reads a value as another type, without a word to the database. */
export function typeCoerce<T>(
  value: unknown,
  type: TypeOperand<T>,
): Expression<T> {
  const to = typeOf(type);
  return value instanceof Expression
    ? new Phrase("coerced", [value], to, value.precedence)
    : new Bind<T>(value, to);
}

/** A type as it stands in a cast. */
class TypeName extends Node {
  readonly type: SqlType;
  constructor(type: SqlType) {
    super();
    this.type = type;
  }
  override get kind(): string {
    return "typeName";
  }
  override compile(compiler: Compiler): void {
    const { type } = this;
    compiler.write(compiler.dialect.rulesFor(type).ddl(type));
  }
}

/** Between two values, both included. */
export function between<T>(
  of: Expression<T>,
  low: Comparable<NoInfer<T>>,
  high: Comparable<NoInfer<T>>,
): Expression<boolean> {
  const { type } = of;
  return new Phrase(
    "between",
    [of, " BETWEEN ", operand(low, type), " AND ", operand(high, type)],
    BOOLEAN,
    4,
    5,
  );
}

/** Equal, and two NULLs are equal too. */
export function isNotDistinctFrom<T>(
  left: Expression<T>,
  right: Comparable<T>,
): Expression<boolean> {
  return distinction(left, " IS NOT DISTINCT FROM ", right);
}

/** Not equal, and two NULLs are equal. */
export function isDistinctFrom<T>(
  left: Expression<T>,
  right: Comparable<T>,
): Expression<boolean> {
  return distinction(left, " IS DISTINCT FROM ", right);
}

function distinction(
  left: Expression<unknown>,
  words: string,
  right: unknown,
): Expression<boolean> {
  const other = operand(right, left.type);
  return new Phrase("distinct", [left, words, other], BOOLEAN, 4, 5);
}

/** Sorts NULLs before the rest. */
export function nullsFirst<T>(order: Expression<T>): Expression<T> {
  return suffixed(order, " NULLS FIRST");
}

/** Sorts NULLs behind the rest. */
export function nullsLast<T>(order: Expression<T>): Expression<T> {
  return suffixed(order, " NULLS LAST");
}

/** Compares and sorts a text by the rules of a collation. */
export function collate<T>(
  of: Expression<T>,
  collation: string,
): Expression<T> {
  return new Collate(of, collation);
}

class Collate<T> extends Expression<T> {
  readonly of: Expression<T>;
  readonly collation: string;
  constructor(of: Expression<T>, collation: string) {
    super(of.type);
    this.of = of;
    this.collation = collation;
  }
  override get kind(): string {
    return "collate";
  }
  override get precedence(): number {
    return 9;
  }
  override compile(compiler: Compiler): void {
    compiler.operand(this.of, 9);
    compiler.write(` COLLATE ${quoteName(this.collation, compiler.dialect)}`);
  }
}

/** Matches a pattern of `%` and `_`, whatever the case of its letters. */
export function ilike(
  of: Expression<unknown>,
  pattern: Operand<string>,
  escape?: string,
): Expression<boolean> {
  return new CaseBlindLike(of, operand(pattern, TEXT), escape);
}

class CaseBlindLike extends Expression<boolean> {
  readonly of: Expression<unknown>;
  readonly pattern: Expression<unknown>;
  readonly escape: string | undefined;
  constructor(
    of: Expression<unknown>,
    pattern: Expression<unknown>,
    escape: string | undefined,
  ) {
    super(BOOLEAN);
    this.of = of;
    this.pattern = pattern;
    this.escape = escape;
  }
  override get kind(): string {
    return "ilike";
  }
  override get precedence(): number {
    return 4;
  }
  override structure(): readonly unknown[] {
    return [likeOf("LIKE", this)];
  }
  override compile(compiler: Compiler): void {
    // Without ILIKE, LIKE itself is blind to case.
    const { ilike } = compiler.dialect.features;
    compiler.visit(likeOf(ilike ? "ILIKE" : "LIKE", this));
  }
}

function likeOf(
  operator: string,
  { of, pattern, escape }: CaseBlindLike,
): Like {
  return new Like(operator, of, pattern, escape);
}

/** Starts with a text, in which `%` and `_` are plain characters. */
export function startsWith(
  of: Expression<unknown>,
  text: string,
): Expression<boolean> {
  return like(of, "", text, "%");
}

/** Ends with a text, in which `%` and `_` are plain characters. */
export function endsWith(
  of: Expression<unknown>,
  text: string,
): Expression<boolean> {
  return like(of, "%", text, "");
}

/** Contains a text, in which `%` and `_` are plain characters. */
export function contains(
  of: Expression<unknown>,
  text: string,
): Expression<boolean> {
  return like(of, "%", text, "%");
}

function like(
  of: Expression<unknown>,
  before: string,
  text: string,
  behind: string,
): Expression<boolean> {
  const plain = text.replace(/[/%_]/g, "/$&");
  return of.like(before + plain + behind, "/");
}
