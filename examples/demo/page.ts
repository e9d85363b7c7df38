// deno-lint-ignore-file no-console -- a program of the terminal
/** How the demo writes: headings, facts, tables and logs, in colour where there is any. */
const isColoured = Deno.stdout.isTerminal() && !Deno.noColor;

function paint(code: number, text: string): string {
  return isColoured ? `\x1b[${code}m${text}\x1b[0m` : text;
}

const bold = (text: string): string => paint(1, text);
const dim = (text: string): string => paint(2, text);
const green = (text: string): string => paint(32, text);
const cyan = (text: string): string => paint(36, text);

/** Starts a story: its number, its title, and the real parts it runs on. */
export function story(number: number, title: string, parts: string): void {
  print();
  print(bold(`${number}. ${title}`));
  print(dim(`   on ${parts}`));
  print();
}

/** A line of the story. */
export function print(text = ""): void {
  console.log(text);
}

/** A sentence between two pieces of output. */
export function say(text: string): void {
  print(`   ${text}`);
}

/** A line of a log or a statement, set apart. */
export function log(line: string): void {
  print(cyan(`   │ ${line}`));
}

/** What was promised and was seen. */
export function seen(text: string): void {
  print(green(`   ✓ ${text}`));
}

/** Rows under headings, aligned. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const text = rows.map((row) => row.map(String));
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...text.map((row) => row[i]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
    ).join("   ");
  print(dim(`   ${line(headings)}`));
  for (const row of text) print(`   ${line(row)}`);
}

/** Stops the demo if what it shows is not so. */
export function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`The demo expected ${what}`);
}
