const PIECES =
  /\s+|(::\s*(?:"(?:[^"]|"")*"|[a-z_][\w.]*(?: (?:precision|varying|with(?:out)? time zone))*)(?:\s*\([\d, ]*\))?(?:\[\])*)|('(?:[^']|'')*')|"((?:[^"]|"")*)"|([\p{L}_][\p{L}\p{N}_$]*)|(\d[\w.]*)|([\s\S])/giu;

/**
 * SQL in a form in which two spellings of the same text are equal: words in
 * small letters, one space between pieces, no quotes around plain names, no
 * brackets around the whole.
 *
 * @param isRewritten Whether the database has put in casts and brackets of its
 * own, which are left out then.
 */
export function normalSql(sql: string, isRewritten: boolean): string {
  const words = piecesOf(sql, isRewritten);
  while (enclosed(words)) words.splice(0, 1), words.pop();
  return words.join(" ");
}

/** What a text is about, whatever the operators between: names, functions and values. */
export function subjectsOf(sql: string): string {
  return [...new Set(piecesOf(sql, true))].filter((word) =>
    /^['"\p{L}\p{N}_]/u.test(word) && !OPERATORS.test(word)
  ).sort().join(" ");
}

const OPERATORS =
  /^(?:and|or|not|in|is|null|any|all|array|between|i?like|case|when|then|else|end|true|false|cast|as)$/;

const TYPES =
  /^(?:interval|date|time|timestamp|timestamptz|uuid|jsonb?|numeric|bytea)$/;

function piecesOf(sql: string, isRewritten: boolean): string[] {
  const words: string[] = [];
  for (const match of sql.matchAll(PIECES)) {
    const [piece, cast, string, name, word, number, other] = match;
    if (cast !== undefined) {
      if (!isRewritten) words.push(cast.toLowerCase());
    } else if (string !== undefined) {
      // A type in front of a text is a cast as well.
      if (isRewritten && TYPES.test(words.at(-1) ?? "")) words.pop();
      words.push(string);
    } else if (name !== undefined) {
      words.push(/^[a-z_][a-z0-9_]*$/.test(name) ? name : piece);
    } else if (word !== undefined) words.push(word.toLowerCase());
    else if (number !== undefined) words.push(number);
    else if (other !== undefined && !(isRewritten && /[()]/.test(other))) {
      words.push(other);
    }
  }
  return words;
}

/** Whether one pair of brackets goes around everything. */
function enclosed(words: readonly string[]): boolean {
  if (words[0] !== "(" || words.at(-1) !== ")") return false;
  let depth = 0;
  return words.every((word, at) => {
    if (word === "(") depth++;
    if (word === ")") depth--;
    return depth > 0 || at === words.length - 1;
  });
}
