import {
  type Column,
  type Compiler,
  type Node,
  type RowShape,
  Statement,
} from "../sql/mod.ts";
import type { Entry, Work } from "./work.ts";

/** What is written: a row's work, or what is read of it again. */
export interface Written extends Pick<Work, "table" | "values" | "where"> {
  readonly kind: Work["kind"] | "select";
}

/** What writes the value of a column, or what stands for it; made for one compilation. */
export type Slots = (compiler: Compiler) => (entry: Entry) => void;

/**
 * A statement that a unit of work sends. The Core's INSERT, UPDATE and DELETE
 * are for programs; this one carries nothing that only a program would ask for.
 */
export class Write extends Statement<unknown> {
  override readonly shape: RowShape | undefined;
  readonly #work: Written;
  readonly #slots: Slots;
  readonly #answers: readonly Column<unknown>[];
  readonly #rows: readonly Node[] | undefined;

  /** A statement for a row, or for each of `rows` that a parameter holds. */
  constructor(
    work: Written,
    slots: Slots,
    answers: readonly Column<unknown>[] = [],
    rows?: readonly Node[],
  ) {
    super();
    this.#work = work;
    this.#slots = slots;
    this.#answers = answers;
    this.#rows = rows;
    this.shape = answers.length > 0
      ? {
        kind: "tuple",
        items: answers.map((column) => ({ expressions: [column] })),
      }
      : undefined;
  }
  override get kind(): string {
    return "write";
  }
  override get isRead(): boolean {
    return false;
  }
  override compile(compiler: Compiler): void {
    const { kind, table, values, where } = this.#work;
    const rows = this.#rows;
    const slot = this.#slots(compiler);
    const fill = (entries: readonly Entry[]): void =>
      compiler.each(entries, ", ", slot);
    const name = (entries: readonly Entry[]): void =>
      compiler.each(entries, ", ", ([{ name }]) => compiler.name(name));
    const entries = [...values];
    const conditions = [...where];
    compiler.nested([table], (isOutermost) => {
      const answer = (words: string): void => {
        if (this.#answers.length === 0) return;
        compiler.write(words);
        compiler.results(this.#answers, isOutermost);
      };
      if (kind === "insert") {
        compiler.write("INSERT INTO ", table);
        if (entries.length === 0) compiler.write(" DEFAULT VALUES");
        else {
          compiler.write(" (");
          name(entries);
          compiler.write(rows ? ") SELECT " : ") VALUES (");
          fill(entries);
          compiler.write(
            ...rows ? [" FROM ", ...rows, " ORDER BY key"] : [")"],
          );
        }
        return answer(" RETURNING ");
      }
      if (kind === "update") {
        compiler.write("UPDATE ", table, " SET ");
        compiler.each(entries, ", ", (entry) => {
          compiler.name(entry[0].name);
          compiler.write(" = ");
          slot(entry);
        });
        if (rows) compiler.write(" FROM ", ...rows);
      } else {
        answer("SELECT ");
        compiler.write(kind === "delete" ? "DELETE FROM " : " FROM ", table);
      }
      compiler.write(" WHERE ");
      if (kind === "delete" && rows) {
        compiler.write("(");
        name(conditions);
        compiler.write(") IN (SELECT ");
        fill(conditions);
        return compiler.write(" FROM ", ...rows, ")");
      }
      compiler.each(conditions, " AND ", (entry) => {
        const [column, value] = entry;
        compiler.write(column, value === null ? " IS NULL" : " = ");
        if (value !== null) slot(entry);
      });
    });
  }
}
