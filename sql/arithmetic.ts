import type { Compiler } from "./compiler.ts";
import {
  Expression,
  type Operand,
  operand,
  Operation,
  writeTree,
} from "./expression.ts";
import { guessType, TEXT } from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** Sum. */
export function plus<T>(
  left: Expression<T>,
  right: Operand<NoInfer<T>>,
): Expression<T> {
  return arithmetic("+", left, right);
}

/** Difference. */
export function minus<T>(
  left: Expression<T>,
  right: Operand<NoInfer<T>>,
): Expression<T> {
  return arithmetic("-", left, right);
}

/** Product. */
export function times<T>(
  left: Expression<T>,
  right: Operand<NoInfer<T>>,
): Expression<T> {
  return arithmetic("*", left, right);
}

/** Quotient, as the database divides: of whole numbers a whole number. */
export function dividedBy<T>(
  left: Expression<T>,
  right: Operand<NoInfer<T>>,
): Expression<T> {
  return arithmetic("/", left, right);
}

/** One text followed by another. */
export function concat(
  left: Expression<unknown>,
  right: Operand<string>,
): Expression<string> {
  return chained("||", left, operand(right, TEXT), TEXT);
}

function arithmetic<T>(
  operator: string,
  left: Expression<T>,
  other: unknown,
): Expression<T> {
  const type = widerType(
    left.type,
    other instanceof Expression ? other.type : guessType(other),
  );
  return chained(operator, left, operand(other, type), type);
}

const WIDTHS = ["integer", "bigint", "numeric", "real"];

// Arithmetic makes the wider one of two numbers: `integer + 1.5` is a real,
// whatever the column says.
function widerType(
  left: SqlType | undefined,
  right: SqlType | undefined,
): SqlType | undefined {
  const rank = (type: SqlType | undefined) => WIDTHS.indexOf(type?.name ?? "");
  return left && rank(left) >= 0 && rank(right) > rank(left) ? right : left;
}

/** Operators whose terms may be brought together; reals are rounded in the order of theirs. */
const FREE = /^([+*](integer|bigint)|\|\|text)$/;

function chained<T>(
  operator: string,
  left: Expression<unknown>,
  right: Expression<unknown>,
  type: SqlType | undefined,
): Expression<T> {
  const isChain = left instanceof Arithmetic && left.operator === operator &&
    left.type === type && FREE.test(operator + type?.name);
  const terms = isChain ? left.terms : [left];
  return new Arithmetic(operator, [...terms, right], type);
}

/** An operation that makes a value of values, none of which says what type another has. */
class Arithmetic<T> extends Operation<T> {
  override get precedence(): number {
    const { operator } = this;
    return operator === "||" ? 5 : /[+-]/.test(operator) ? 6 : 7;
  }
  override compile(compiler: Compiler): void {
    const { operator, terms, precedence } = this;
    // Databases differ in how tightly || binds, so what is inside has brackets.
    const isText = operator === "||";
    const first = isText ? 9 : precedence;
    const other = isText ? 9 : precedence + 1;
    writeTree(
      operator,
      terms.map((term, i) => () =>
        compiler.operand(term, i === 0 ? first : other, true)
      ),
      compiler,
    );
  }
}
