/** Imports that generated source needs, each name once. */
export class Imports {
  readonly #names = new Map<string, Set<string>>();

  /** Makes a name known; gives it back, to be written down. */
  use(name: string, from: string = SQL): string {
    const known = this.#names.get(from) ?? new Set();
    this.#names.set(from, known.add(name));
    return name;
  }

  /** The import lines, sorted. */
  toString(): string {
    return [...this.#names].sort(([a], [b]) => a < b ? -1 : 1).map((
      [from, names],
    ) => `import { ${[...names].sort().join(", ")} } from ${quoted(from)};`)
      .join("\n");
  }
}

/** Where columns, constraints and expressions come from. */
const SQL = "@aludel/aludel/sql";

/** Stands for what a function of the user's leaves out. */
export const OMITTED = "\0omitted";

/** Whether something in a piece of source is left out. */
export function isOmitted(source: string | undefined): boolean {
  return source?.includes(OMITTED) ?? false;
}

/** A text as it stands in source. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** A key of an object in source. */
export function keyOf(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** A list in source, on one line. */
export function listOf(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}

/** An object in source, without what is absent; nothing if all is. */
export function objectOf(
  fields: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const said = Object.entries(fields).filter(([, value]) =>
    value !== undefined
  );
  return said.length === 0
    ? undefined
    : `{ ${
      said.map(([key, value]) =>
        value === key ? key : `${keyOf(key)}: ${value}`
      ).join(", ")
    } }`;
}

/** A call in source, without arguments that are absent at its end. */
export function call(
  name: string,
  ...args: readonly (string | undefined)[]
): string {
  const last = args.findLastIndex((arg) => arg !== undefined);
  const given = args.slice(0, last + 1).map((arg) => arg ?? "undefined");
  return `${name}(${given.join(", ")})`;
}

/** Lines moved to the right. */
export function indented(text: string, by = 2): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(by));
}
