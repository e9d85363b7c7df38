import type { Compiler } from "./compiler.ts";
import { type Expression, operand, Raw } from "./expression.ts";
import type { Node } from "./node.ts";
import { type RowShape, Statement } from "./statement.ts";
import type { SqlType } from "./types.ts";

/** SQL as it is written: the one way for raw text into a statement. */
export function text<T = unknown>(
  sql: string,
  type?: SqlType<T>,
): Expression<T> {
  return new Raw<T>(sql, type);
}

/** A statement written by hand, its values bound. */
export class TextStatement<Row> extends Statement<Row> {
  /** Text and values in turn. */
  readonly parts: readonly Node[];
  override readonly shape: RowShape | undefined;
  readonly #isRead: boolean;

  /** Use {@linkcode sql}. */
  constructor(
    parts: readonly Node[],
    isRead: boolean,
    shape?: RowShape,
  ) {
    super();
    this.parts = parts;
    this.shape = shape;
    this.#isRead = isRead;
  }
  override get kind(): string {
    return "text";
  }
  override get isRead(): boolean {
    return this.#isRead;
  }
  override structure(): readonly unknown[] {
    return [this.parts];
  }
  override compile(compiler: Compiler): void {
    compiler.nested([], () => {
      for (const part of this.parts) compiler.visit(part);
    });
  }
}

/** Words that a text starts with which only reads. */
const READS = /^\s*(select|values|with|pragma table|explain)/i;
/** Words that write wherever they stand. A text that only mentions them is sent once, too. */
const WRITES = /\b(insert|update|delete|merge|into|nextval|setval)\b/i;

/**
 * A statement as a tagged template: what stands in `${}` is bound, or, where
 * it is an expression or column, written.
 *
 * @typeParam Row A row of its result, by column name.
 */
export function sql<Row = Record<string, unknown>>(
  strings: TemplateStringsArray,
  ...values: readonly unknown[]
): TextStatement<Row> {
  const parts = strings.flatMap((string, i) => [
    new Raw(string),
    ...(i < values.length ? [operand(values[i])] : []),
  ]);
  return new TextStatement(
    parts,
    READS.test(strings[0] ?? "") && !WRITES.test(strings.join(" ")),
  );
}
