/** A piece of SQL text. */
export interface Token {
  /** What it is; brackets and commas are `"mark"`. */
  readonly kind: "word" | "name" | "string" | "mark" | "number" | "other";
  /** The text, as it stands. */
  readonly text: string;
  /** A word in capitals, or a name without its quotes. */
  readonly value: string;
  /** Where it starts. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

const PIECES =
  /(--[^\n]*|\/\*[\s\S]*?\*\/|\s+)|("(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|('(?:[^']|'')*')|([\p{L}_$][\p{L}\p{N}_$]*)|(\d[\w.]*(?:(?<=[eE])[+-]\d+)?)|([(),.])|([\s\S])/gu;

/** Cuts SQL into pieces; white space and remarks are left out. */
export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (const match of sql.matchAll(PIECES)) {
    const [text, space, name, string, word, number, mark] = match;
    if (space !== undefined) continue;
    const start = match.index;
    const at = { text, start, end: start + text.length };
    found.push(
      name !== undefined
        ? { kind: "name", value: unquote(name), ...at }
        : string !== undefined
        ? { kind: "string", value: unquote(string), ...at }
        : word !== undefined
        ? { kind: "word", value: word.toUpperCase(), ...at }
        : {
          kind: mark !== undefined
            ? "mark"
            : number !== undefined
            ? "number"
            : "other",
          value: text,
          ...at,
        },
    );
  }
  return found;
}

/** A name or string without its quotes. */
export function unquote(text: string): string {
  const quote = text[0] ?? "";
  const inner = text.slice(1, -1);
  return quote === "[" ? inner : inner.replaceAll(quote + quote, quote);
}

/** Reads pieces one after the other. */
export class TokenReader {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** Starts at the first piece. */
  constructor(sql: string, pieces: readonly Token[] = tokens(sql)) {
    this.#sql = sql;
    this.#tokens = pieces;
  }

  /** Whether nothing is left. */
  get isDone(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The next piece, without taking it. */
  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** Whether a bracket opens next, not a name or text that reads like one. */
  get opens(): boolean {
    return this.next?.kind === "mark" && this.next.value === "(";
  }

  /** Takes words if they come next. */
  take(...words: readonly string[]): boolean {
    const come = words.every((word, i) => {
      const token = this.#tokens[this.#at + i];
      return token?.value === word &&
        (token.kind === "word" || token.kind === "mark");
    });
    if (come) this.#at += words.length;
    return come;
  }

  /** Takes whatever comes next. */
  skip(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  /** Takes a name, quoted or not; the last part of a dotted one. */
  name(): string {
    const token = this.skip();
    const value = token?.kind === "word" ? token.text : token?.value ?? "";
    return this.take(".") ? this.name() : value;
  }

  /** Takes what stands in brackets, if brackets come next; gives it without them. */
  bracketed(): { readonly sql: string; readonly tokens: Token[] } | undefined {
    if (!this.take("(")) return undefined;
    const from = this.#at;
    for (let depth = 1; !this.isDone;) {
      const token = this.skip();
      if (token?.kind !== "mark") continue;
      if (token.value === "(") depth++;
      else if (token.value === ")" && --depth === 0) break;
    }
    const inside = this.#tokens.slice(from, this.#at - 1);
    const sql = this.#sql.slice(
      this.#tokens[from - 1]!.end,
      this.#tokens[this.#at - 1]!.start,
    );
    return { sql: sql.trim(), tokens: inside };
  }

  /** Takes a list of names in brackets. */
  names(): string[] {
    const { tokens: inside = [] } = this.bracketed() ?? {};
    return this.split(inside).map((part) => {
      const [first] = part;
      return first?.kind === "word" ? first.text : first?.value ?? "";
    });
  }

  /** Pieces between the commas that stand in no brackets. */
  split(pieces: readonly Token[]): Token[][] {
    const parts: Token[][] = [[]];
    let depth = 0;
    for (const token of pieces) {
      if (token.kind === "mark") {
        if (token.value === "(") depth++;
        if (token.value === ")") depth--;
        if (token.value === "," && depth === 0) {
          parts.push([]);
          continue;
        }
      }
      parts.at(-1)?.push(token);
    }
    return parts.filter((part) => part.length > 0);
  }

  /** A reader of some of the pieces. */
  of(pieces: readonly Token[]): TokenReader {
    return new TokenReader(this.#sql, pieces);
  }

  /** The text of what is left. */
  get rest(): string {
    const first = this.next;
    const last = this.#tokens.at(-1);
    return first && last ? this.#sql.slice(first.start, last.end) : "";
  }

  /** The text between two places. */
  textFrom(start: number): string {
    const last = this.#tokens[this.#at - 1];
    return last ? this.#sql.slice(start, last.end) : "";
  }
}
