/**
 * What `get` answers when there is nothing to answer: not `null`, which may well
 * have been stored.
 *
 * A unique symbol is never equal to a value that a codec gives back. As symbols
 * are truthy, compare with `=== NO_VALUE`.
 */
export const NO_VALUE: unique symbol = Symbol.for("aludel.NO_VALUE");

/** The type of {@linkcode NO_VALUE}. */
export type NoValue = typeof NO_VALUE;
