import type { ColumnBuilder, ColumnValue, Optionality } from "./column.ts";
import type { Compiler } from "./compiler.ts";
import { type Expression, operand, Phrase, Raw } from "./expression.ts";
import { Node } from "./node.ts";
import { type RowShape, Statement } from "./statement.ts";
import type { SqlType } from "./types.ts";

/** A statement written by hand, its values bound. */
export class TextStatement<Row> extends Statement<Row> {
  /** Text and values in turn. */
  readonly parts: readonly Node[];
  /** What its rows become. */
  override readonly shape: RowShape | undefined;
  /** The types of its columns, by label. */
  readonly types: readonly (readonly [string, SqlType])[];
  /** Whether it only reads. */
  override readonly isRead: boolean;

  /** Use {@linkcode sql}. */
  constructor(
    parts: readonly Node[],
    isRead: boolean,
    shape?: RowShape,
    types: readonly (readonly [string, SqlType])[] = [],
  ) {
    super();
    this.parts = parts;
    this.shape = shape;
    this.isRead = isRead;
    this.types = types;
  }
  /** @ignore */
  override get kind(): string {
    return "text";
  }
  /**
   * Says what its columns are, so that rows have their types and values are
   * read as those of a table are.
   */
  columns<
    const C extends Readonly<
      Record<string, ColumnBuilder<unknown, Optionality>>
    >,
  >(
    columns: C,
  ): TextStatement<{ -readonly [K in keyof C]: ColumnValue<C[K]> }> {
    return new TextStatement(
      this.parts,
      this.isRead,
      this.shape,
      Object.entries(columns).map(([label, { spec }]) => [label, spec.type]),
    );
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.nested([], (outermost) => {
      for (const part of this.parts) compiler.visit(part);
      if (!outermost) return;
      for (const [label, type] of this.types) compiler.column(label, type);
    });
  }
}

/** Words that a text starts with which only reads. */
const READS = /^\s*(select|values|with|pragma table|explain)/i;
/** Words that write wherever they stand. A text that only mentions them is sent once, too. */
const WRITES = /\b(insert|update|delete|merge|into|nextval|setval)\b/i;

/**
 * A statement as a tagged template: what stands in `${}` is bound, or, where
 * it is an expression, a column, a table or another statement, written.
 *
 * @example
 * ```ts
 * import { integer, sql, text } from "@aludel/aludel/sql";
 *
 * sql`SELECT id, name FROM users WHERE name = ${"ed"}`
 *   .columns({ id: integer(), name: text() });
 * ```
 *
 * @typeParam Row A row of its result, by column name.
 */
export function sql<Row = Record<string, unknown>>(
  strings: TemplateStringsArray,
  ...values: readonly unknown[]
): TextStatement<Row> {
  return new TextStatement(
    templateParts(strings, values),
    READS.test(strings[0] ?? "") && !WRITES.test(strings.join(" ")),
  );
}

/**
 * An expression as a tagged template, inside a statement or schema: what stands
 * in `${}` is bound, or, where it is an expression or a table, written.
 *
 * @example
 * ```ts
 * import { fragment, integer, MetaData, select, table, text } from "@aludel/aludel/sql";
 *
 * const users = table("users", new MetaData(), { id: integer(), name: text() });
 * select(users).where(fragment`lower(${users.c.name}) = ${"ed"}`);
 * ```
 */
export function fragment<T = unknown>(
  strings: TemplateStringsArray,
  ...values: readonly unknown[]
): Expression<T> {
  // Raw text may hold anything, so it gets brackets wherever it is an operand.
  return new Phrase("text", templateParts(strings, values), undefined, 0, 9);
}

function templateParts(
  strings: TemplateStringsArray,
  values: readonly unknown[],
): Node[] {
  return strings.flatMap((string, i) => {
    if (i >= values.length) return [new Raw(string)];
    const value = values[i];
    return [new Raw(string), value instanceof Node ? value : operand(value)];
  });
}
