/** The numbered lists, and the lines that the platform cannot have. */

/** The lists, by the word that a test's name begins with. */
export const LISTS = ["cache", "orm", "migrate"] as const;

/** Name of a list. */
export type ListName = typeof LISTS[number];

/** A list: its behaviours by number. */
export interface List {
  readonly name: ListName;
  readonly lines: ReadonlyMap<number, string>;
}

/** A line that stands in `exceptions.md`. */
export interface Excepted {
  readonly list: ListName;
  readonly number: number;
  readonly reason: string;
}

/** Whether a word names a list. */
export function isListName(word: string): word is ListName {
  return LISTS.some((name) => name === word);
}

/**
 * Reads the numbered items of a Markdown list.
 *
 * @throws {Error} If the numbers do not count from 1 without a gap.
 */
export function parseList(name: ListName, markdown: string): List {
  const lines = new Map<number, string>();
  let open = 0;
  for (const line of markdown.split("\n")) {
    const item = /^(\d+)\. (.*)$/.exec(line);
    if (item) {
      open = Number(item[1]);
      if (open !== lines.size + 1) {
        throw new Error(
          `Cannot read the list "${name}": ${open} follows ${lines.size}; number its lines from 1 without a gap`,
        );
      }
      lines.set(open, item[2]!.trim());
    } else if (/^\s+\S/.test(line) && open) {
      lines.set(open, `${lines.get(open)} ${line.trim()}`);
    } else {
      open = 0;
    }
  }
  return { name, lines };
}

/**
 * Reads the rows `| list | number | reason |`.
 *
 * @throws {Error} If a row names no line of the lists or gives no reason.
 */
export function parseExceptions(
  markdown: string,
  lists: readonly List[],
): Excepted[] {
  const rows = markdown.split("\n").filter((line) => line.startsWith("|"))
    .slice(2);
  return rows.map((row) => {
    const [list = "", number = "", reason = ""] = row.split("|").slice(1)
      .map((cell) => cell.trim());
    const known = lists.find(({ name }) => name === list);
    if (!known?.lines.has(Number(number)) || reason === "") {
      throw new Error(
        `Cannot read exceptions.md: the row "${row.trim()}" needs a list, a number of that list and a reason`,
      );
    }
    return { list: known.name, number: Number(number), reason };
  });
}
