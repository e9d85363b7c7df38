import {
  decideFrom,
  type RenameAnswer,
  type RenameQuestion,
} from "../autogenerate/renames.ts";
import { MigrateError } from "../errors.ts";
import type { Choice, Terminal } from "./output.ts";
import { absolute, exists } from "./script_directory.ts";

/** Where answers about renames come from. */
export interface RenameFlags {
  /** `old:new`, for each thing that was renamed. */
  readonly rename?: readonly string[];
  /** A file of answers. */
  readonly hints?: string;
}

/** Answers from the flags, from a file, and from whoever sits at the terminal. */
export function answersFrom(
  flags: RenameFlags,
  terminal: Terminal,
): (
  question: RenameQuestion,
) => string | null | undefined | Promise<string | null | undefined> {
  const given = decideFrom([
    ...(flags.rename ?? []).map(readRename),
    ...(flags.hints === undefined ? [] : readHints(flags.hints)),
  ]);
  return (question) => {
    const answer = given(question);
    return answer !== undefined || !terminal.isInteractive
      ? answer
      : terminal.choose(wordingOf(question), choicesOf(question));
  };
}

/** `users.mail:users.email`, `users.mail:email` or `people:persons`. */
export function readRename(given: string): RenameAnswer {
  const [from = "", to = "", ...more] = given.split(":");
  const [oldTable, oldColumn] = cut(from);
  const [newTable, newColumn] = cut(to);
  const column = oldColumn === undefined ? undefined : newColumn ?? to;
  const table = newColumn === undefined && oldColumn !== undefined
    ? oldTable
    : newTable;
  const isOdd = more.length > 0 || from === "" || to === "" ||
    newColumn !== undefined && oldColumn === undefined;
  if (!isOdd) {
    return column === undefined
      ? { table, renamedFrom: from }
      : { table, column, renamedFrom: oldColumn ?? from };
  }
  throw new MigrateError(
    "bad-rename",
    `Cannot understand --rename ${given}: write <table>.<old>:<new> for a column and <old>:<new> for a table`,
  );
}

function cut(name: string): [string, string | undefined] {
  const dot = name.lastIndexOf(".");
  return dot < 0
    ? [name, undefined]
    : [name.slice(0, dot), name.slice(dot + 1)];
}

/**
 * Reads answers: the questions as they were printed, each with `renamedFrom` in
 * it. Questions without an answer stay open.
 */
function readHints(file: string): RenameAnswer[] {
  const refuse = (why: string, options?: ErrorOptions) =>
    new MigrateError(
      "bad-hints",
      `Cannot use hints '${file}': ${why}; give each question that was printed a renamedFrom: a candidate, or null for what is new`,
      options,
    );
  const path = absolute(file);
  if (!exists(path)) throw refuse("there is no such file");
  let content: unknown;
  try {
    content = JSON.parse(Deno.readTextFileSync(path));
  } catch (cause) {
    throw refuse("it is not JSON", { cause });
  }
  const list = isRecord(content) ? content.questions : content;
  if (!Array.isArray(list)) throw refuse("it holds no list");
  return list.flatMap((one: unknown): RenameAnswer[] => {
    if (!isRecord(one) || typeof one.table !== "string") {
      throw refuse("an entry names no table");
    }
    const { table, schema, column, candidates: _asked, renamedFrom, ...more } =
      one;
    const [odd] = Object.keys(more);
    if (odd !== undefined) throw refuse(`an entry has '${odd}'`);
    if (renamedFrom === undefined) return [];
    if (renamedFrom !== null && typeof renamedFrom !== "string") {
      throw refuse("renamedFrom is neither a name nor null");
    }
    return [{
      table,
      renamedFrom,
      ...(typeof schema === "string" ? { schema } : {}),
      ...(typeof column === "string" ? { column } : {}),
    }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wordingOf({ table, column }: RenameQuestion): string {
  return column === undefined
    ? `Is table '${table}' new?`
    : `Is column '${table}.${column}' new?`;
}

function choicesOf({ column, candidates }: RenameQuestion): Choice[] {
  const kept = column === undefined ? "rows" : "values";
  return [
    ...candidates.map((name) => ({
      value: name,
      label: `No, it was '${name}'`,
      hint: `renamed, its ${kept} stay`,
    })),
    {
      value: null,
      label: "Yes, it is new",
      hint: `what is gone goes with its ${kept}`,
    },
  ];
}
