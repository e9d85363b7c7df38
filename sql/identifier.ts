import type { Compiler } from "./compiler.ts";
import { Expression } from "./expression.ts";
import type { SqlType } from "./types.ts";

/** A quoted name on its own, such as a label of the result. */
export class Name<T = unknown> extends Expression<T> {
  /** The name. */
  readonly name: string;
  /** Use {@linkcode identifier}. */
  constructor(name: string, type?: SqlType) {
    super(type);
    this.name = name;
  }
  /** @ignore */
  override get kind(): string {
    return "name";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.name(this.name);
  }
}

/**
 * A name, quoted: a label of the result in `orderBy`, or a table or column in
 * a template. Names that users type in belong here, never in `text()`.
 */
export function identifier<T = unknown>(
  name: string,
  type?: SqlType<T>,
): Expression<T> {
  return new Name<T>(name, type);
}
