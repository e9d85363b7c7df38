import type { Compiler } from "./compiler.ts";

/** A part of a text: words, nodes, and lists with commas. */
export type Part = string | Node | readonly Node[];

/**
 * A part of a statement. It knows how standard SQL writes it; a dialect that
 * writes it differently overrides it by its {@linkcode kind}. A kind that no
 * program names is in no bundle.
 */
export abstract class Node {
  /** The name under which a dialect overrides it. */
  abstract readonly kind: string;
  /** How tightly it binds; what binds looser than its place gets brackets. */
  get precedence(): number {
    return 10;
  }
  /** Writes it in standard SQL. */
  abstract compile(compiler: Compiler): void;
  /** What decides its text: two nodes alike in these are written alike. */
  structure(): readonly unknown[] {
    return Object.values(this);
  }
}
