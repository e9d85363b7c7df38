import {
  type Column,
  type Compiler,
  Expression,
  type Node,
  type RowShape,
  type SqlType,
  Statement,
  type Table,
} from "../sql/mod.ts";

/** A part of a write: text, something with SQL of its own, or parts in turn. */
export type Part = string | Node | readonly Part[];

/** Parts with something between them. */
export function listed(parts: readonly Part[], by = ", "): Part {
  return parts.flatMap((part, i) => i > 0 ? [by, part] : [part]);
}

/**
 * A statement that a unit of work sends. The Core's INSERT, UPDATE and DELETE
 * are for programs; this one carries nothing that only a program would ask for.
 */
export class Write extends Statement<unknown> {
  readonly table: Table;
  readonly parts: Part;
  readonly answers: readonly Column<unknown>[];
  override readonly shape: RowShape | undefined;

  /** Answers stand where the parts name them, else behind RETURNING. */
  constructor(
    table: Table,
    parts: Part,
    answers: readonly Column<unknown>[] = [],
  ) {
    super();
    this.table = table;
    this.answers = answers;
    const isAsked = answers.length > 0;
    this.parts = isAsked && !(parts as readonly Part[]).includes(answers)
      ? [parts, " RETURNING ", answers]
      : parts;
    this.shape = isAsked
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
    compiler.nested([this.table], (outermost) => {
      const put = (part: Part): void => {
        if (typeof part === "string") compiler.write(part);
        else if (part === this.answers) {
          compiler.results(this.answers, outermost);
        } else if (Array.isArray(part)) part.forEach(put);
        else compiler.visit(part as Node);
      };
      put(this.parts);
    });
  }
}

/** A cell of a row of a JSON parameter. */
export class Cell extends Expression<unknown> {
  readonly place: number;
  constructor(place: number, type: SqlType | undefined) {
    super(type);
    this.place = place;
  }
  override get kind(): string {
    return "cell";
  }
  override compile(compiler: Compiler): void {
    const { place, type } = this;
    compiler.write(compiler.cell(`(aludel_rows.value ->> ${place})`, type));
  }
}
