import {
  type Expression,
  type Operand,
  operand,
  Phrase,
} from "./expression.ts";
import type { SqlType } from "./types.ts";

/** CASE: the value of the first condition that holds, else NULL. */
export interface Case<T> extends Expression<T | null> {
  /** Adds a condition and its value. */
  when<U>(condition: Expression<unknown>, value: Operand<U>): Case<T | U>;
  /** The value where no condition holds. */
  else<U>(value: Operand<U>): Expression<T | U>;
}

class CasePhrase<T> extends Phrase<T | null> implements Case<T> {
  when<U>(condition: Expression<unknown>, value: Operand<U>): Case<T | U> {
    return chain<T | U>(this.parts.slice(0, -1), this.type, condition, value);
  }
  else<U>(value: Operand<U>): Expression<T | U> {
    const { type } = this;
    return new Phrase(
      "case",
      [...this.parts.slice(0, -1), " ELSE ", operand(value, type), " END"],
      type,
    );
  }
}

function chain<T>(
  parts: Phrase<unknown>["parts"],
  type: SqlType | undefined,
  condition: Expression<unknown>,
  value: unknown,
): Case<T> {
  const then = operand(value, type);
  return new CasePhrase<T>(
    "case",
    [...parts, " WHEN ", condition, " THEN ", then, " END"],
    type ?? then.type,
  );
}

/**
 * CASE: the value of the first condition that holds.
 *
 * @example
 * ```ts
 * import { caseWhen, integer, MetaData, select, table } from "@aludel/aludel/sql";
 *
 * const people = table("people", new MetaData(), { age: integer() });
 * const stage = caseWhen(people.c.age.lt(13), "child")
 *   .when(people.c.age.lt(20), "teen").else("adult");
 * select({ stage });
 * ```
 */
export function caseWhen<T>(
  condition: Expression<unknown>,
  value: Operand<T>,
): Case<T> {
  return chain<T>(["CASE"], undefined, condition, value);
}
