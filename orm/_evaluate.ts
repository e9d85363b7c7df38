import { Bind, Column, Expression } from "../sql/mod.ts";
import type { InstanceState } from "./state.ts";

/** An expression cannot be worked out in memory. */
export const UNKNOWN: unique symbol = /* @__PURE__ */ Symbol(
  "unknown",
);

type Parts = {
  readonly operator?: string;
  readonly left?: unknown;
  readonly right?: unknown;
  readonly terms?: readonly unknown[];
  readonly parts?: readonly unknown[];
  readonly negated?: boolean;
};

/**
 * What an expression is for an object, as SQL has it, NULL included;
 * {@linkcode UNKNOWN} where only the database can tell.
 */
export function evaluate(part: unknown, state: InstanceState): unknown {
  if (part instanceof Bind) return plain(part.value);
  if (part instanceof Column) {
    if (!state.mapper.columns.includes(part) || state.isExpired) return UNKNOWN;
    const value = state.read(part);
    return value === undefined ? UNKNOWN : plain(value);
  }
  if (!(part instanceof Expression)) return UNKNOWN;
  const { operator = "", left, right, terms, parts, negated } = part as Parts;
  const of = (one: unknown): unknown => evaluate(one, state);
  switch (part.kind) {
    case "operation": {
      const values = (terms ?? []).map(of);
      return operator === "AND" || operator === "OR"
        ? logical(operator, values)
        : values.reduce((one, other) => binary(operator, one, other));
    }
    case "not":
      return opposite(
        of(parts?.[1]),
      );
    case "null":
      return known(of(parts?.[0]), (value) => value === null);
    case "notNull":
      return known(of(parts?.[0]), (value) => value !== null);
    case "in": {
      const list = right instanceof Bind ? right.value : right;
      if (!Array.isArray(list)) return UNKNOWN;
      const found = logical(
        "OR",
        list.map((one) =>
          binary(
            "=",
            of(left),
            one instanceof Expression ? of(one) : plain(one),
          )
        ),
      );
      return negated ? opposite(found) : found;
    }
    default:
      return UNKNOWN;
  }
}

function plain(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : value;
}

function known(value: unknown, then: (value: unknown) => unknown): unknown {
  return value === UNKNOWN ? UNKNOWN : then(value);
}

function opposite(value: unknown): unknown {
  return known(value, (one) => one === null ? null : !one);
}

function logical(operator: string, values: readonly unknown[]): unknown {
  const decides = operator === "OR";
  if (
    values.some((value) =>
      value !== null && !!value === decides && value !== UNKNOWN
    )
  ) {
    return decides;
  }
  if (values.includes(UNKNOWN)) return UNKNOWN;
  return values.includes(null) ? null : !decides;
}

function binary(operator: string, left: unknown, right: unknown): unknown {
  if (left === UNKNOWN || right === UNKNOWN) return UNKNOWN;
  if (left === null || right === null) return null;
  // Databases order text in ways of their own; only numbers are compared here.
  const isOrdered = typeof left === "number" && typeof right === "number";
  if (typeof left === "object" || typeof left !== typeof right) return UNKNOWN;
  switch (operator) {
    case "=":
      return left === right;
    case "<>":
      return left !== right;
    case "<":
      return isOrdered ? left < right : UNKNOWN;
    case "<=":
      return isOrdered ? left <= right : UNKNOWN;
    case ">":
      return isOrdered ? left > right : UNKNOWN;
    case ">=":
      return isOrdered ? left >= right : UNKNOWN;
    case "+":
      return isOrdered ? left + right : UNKNOWN;
    case "-":
      return isOrdered ? left - right : UNKNOWN;
    case "*":
      return isOrdered ? left * right : UNKNOWN;
    default:
      return UNKNOWN;
  }
}
