import type { CompiledStatement, Compiler } from "./compiler.ts";
import type { Dialect } from "./dialect.ts";

/** A part of a text: words, nodes, and lists with commas. */
export type Part = string | Node | readonly Node[];

/**
 * A part of a statement. It knows how standard SQL writes it; a dialect that
 * writes it differently overrides it by its {@linkcode kind}. A kind that no
 * program names is in no bundle.
 */
export abstract class Node {
  /** Its text for the dialect that asked last; a statement never changes. */
  declare "~text"?: {
    readonly dialect: Dialect;
    readonly text: CompiledStatement;
  } | undefined;
  /** The name under which a dialect overrides it. */
  abstract readonly kind: string;
  /** How tightly it binds; what binds looser than its place gets brackets. */
  get precedence(): number {
    return 10;
  }
  /** Writes it in standard SQL. */
  abstract compile(compiler: Compiler): void;
  /**
   * Statements that do, one after the other, what it does, where it is too
   * large for a platform; none where there are none.
   */
  halves?(): readonly Node[];
  /** What it is made of, for those who look for something in a statement. */
  structure(): readonly unknown[] {
    return Object.values(this);
  }
}
