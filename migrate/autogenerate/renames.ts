import { type Dialect, rootType, type Table } from "../../sql/mod.ts";
import { MigrateError } from "../errors.ts";
import { declaredType } from "./compare/types.ts";
import type { CompareOptions } from "./options.ts";

/**
 * Something new that may be something old under another name. With
 * `renamedFrom` in it, it is an answer: the old name, or `null` if it is new.
 */
export interface RenameQuestion {
  /** The table as it is called now; with `column` absent the new table itself. */
  readonly table: string;
  /** Its schema; absent for the database's own. */
  readonly schema?: string;
  /** The new column. */
  readonly column?: string;
  /** The old names that it may have had, the likeliest first. */
  readonly candidates: readonly string[];
}

/** An answer to a {@linkcode RenameQuestion}. */
export interface RenameAnswer
  extends Pick<RenameQuestion, "table" | "schema" | "column"> {
  /** The old name; `null` if it had none. */
  readonly renamedFrom: string | null;
}

/**
 * Nobody could say whether something was renamed. Renaming keeps the rows,
 * dropping and adding loses them, so neither is guessed.
 */
export class RenameUndecidedError extends MigrateError {
  /** @ignore */
  override readonly name = "RenameUndecidedError";
  /** What is to be decided. */
  readonly questions: readonly RenameQuestion[];

  /** @internal */
  constructor(questions: readonly RenameQuestion[]) {
    super(
      "rename-undecided",
      `Cannot tell whether ${
        questions.map(nameOf).join(", ")
      } was renamed or is new; say renamedFrom in the model, or answer with --rename, or put renamedFrom into these questions for --hints`,
    );
    this.questions = questions;
  }
}

function nameOf({ table, column }: RenameQuestion): string {
  return `'${column === undefined ? table : `${table}.${column}`}'`;
}

/**
 * Answers questions from a list of answers: a hints file, flags.
 *
 * @returns A function for {@linkcode CompareOptions.decideRename}.
 */
export function decideFrom(
  answers: readonly RenameAnswer[],
): (question: RenameQuestion) => string | null | undefined {
  return ({ table, schema, column }) =>
    answers.find((answer) =>
      answer.table === table && answer.schema === schema &&
      answer.column === column
    )?.renamedFrom;
}

/** Something that is there on one side only. */
export interface Unmatched<T> {
  /** Its name. */
  readonly name: string;
  /** The name it says that it had. */
  readonly renamedFrom?: string | undefined;
  /** The thing. */
  readonly thing: T;
}

/** Finds out which new things are old ones, and asks where it may not guess. */
export class Renames {
  readonly #decide: CompareOptions["decideRename"];
  /** Questions to which there was no answer. */
  readonly undecided: RenameQuestion[] = [];

  /** Asks whoever the settings name. */
  constructor({ decideRename }: CompareOptions) {
    this.#decide = decideRename;
  }

  /**
   * Pairs new things with old ones.
   *
   * @param isLike Whether one may be the other.
   * @param ask Words the question about a new thing.
   * @returns New names by the old ones.
   */
  async match<T>(
    added: readonly Unmatched<T>[],
    removed: readonly Unmatched<T>[],
    isLike: (now: T, before: T) => boolean,
    ask: (name: string) => Omit<RenameQuestion, "candidates">,
  ): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const left = new Map(removed.map(({ name, thing }) => [name, thing]));
    const open = added.filter(({ name, renamedFrom }) => {
      const isDeclared = renamedFrom !== undefined && left.delete(renamedFrom);
      if (isDeclared) found.set(renamedFrom, name);
      return !isDeclared;
    });
    for (const { name, thing } of open) {
      const candidates = [...left].filter(([, before]) => isLike(thing, before))
        .map(([former]) => former)
        .sort((a, b) =>
          distance(a, name) - distance(b, name) || (a < b ? -1 : 1)
        );
      if (candidates.length === 0) continue;
      const question = { ...ask(name), candidates };
      const answer = await this.#decide?.(question);
      if (answer === undefined) this.undecided.push(question);
      else if (answer !== null) {
        refuseOther(question, answer);
        left.delete(answer);
        found.set(answer, name);
      }
    }
    return found;
  }
}

function refuseOther(question: RenameQuestion, answer: string): void {
  if (question.candidates.includes(answer)) return;
  throw new MigrateError(
    "rename-unknown",
    `Cannot rename '${answer}' to ${nameOf(question)}: it may have been ${
      question.candidates.map((name) => `'${name}'`).join(" or ")
    }`,
  );
}

/** Whether a table may be another under a new name: half of their columns are the same. */
export function isLikeTable(
  now: Table,
  before: Table,
  dialect: Dialect,
): boolean {
  const told = (table: Table) =>
    new Set(
      table.columns.map((column) =>
        `${column.name} ${declaredType(column, dialect).toUpperCase()}`
      ),
    );
  const [a, b] = [told(now), told(before)];
  return a.intersection(b).size * 2 >= a.union(b).size;
}

/** Whether a column may be another under a new name: they hold the same kind of values. */
export function isLikeColumn(
  now: Table["columns"][number],
  before: Table["columns"][number],
  dialect: Dialect,
): boolean {
  const kind = ({ spec }: Table["columns"][number]) =>
    storageOf(rootType(spec.type).name, dialect);
  const isComputed = [now, before].some(({ spec }) => spec.computed);
  return !isComputed && kind(now) === kind(before);
}

const TEXTS = ["varchar", "enum", "date", "time", "timestamp", "instant"];

/** Types that are alike once they are stored. */
function storageOf(type: string, { features }: Dialect): string {
  if (type === "bigint") return "integer";
  if (type === "varchar") return "text";
  // Where there are no types for times, they come back as text.
  const isText = [...TEXTS, "json", "uuid", "interval", "numeric"];
  return !features.timeTypes && isText.includes(type) ? "text" : type;
}

/** How many letters must be changed to make one name of another; for the order of candidates. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    row = next;
  }
  return row[b.length]!;
}
