import type { Compiler } from "../compiler.ts";
import { Bind, type Like } from "../expression.ts";

/**
 * A pattern of any length: the places `i` of the text that each step `k` of the
 * pattern can be reached at, from the first on. UNION keeps each pair once.
 */
export function writeLongLike(node: Like, compiler: Compiler): void {
  const { left, pattern, escape } = node;
  if (!(pattern instanceof Bind) || !isLong(String(pattern.value))) {
    return node.compile(compiler);
  }
  compiler.write("(WITH RECURSIVE t(x, p) AS (SELECT ");
  compiler.operand(left, 0);
  compiler.write(", ");
  compiler.bindJoined([pattern], ([text]) => stepsOf(String(text), escape));
  compiler.write(
    "), m(i, k) AS (SELECT 1, 0 " +
      "UNION SELECT i + 1, k + (p ->> k IS NOT 1) FROM m JOIN t WHERE i <= length(x) AND " +
      "(p ->> k IN (0, 1) OR lower(substr(x, i, 1)) = lower(p ->> k)) " +
      "UNION SELECT i, k + 1 FROM m JOIN t WHERE p ->> k IS 1) " +
      // NULL is like nothing and unlike nothing.
      "SELECT max((k = json_array_length(p)) * (i = length(x) + 1)) FROM m JOIN t)",
  );
}

// Over 50 bytes; a UTF-16 unit is at most three.
function isLong(pattern: string): boolean {
  return pattern.length > 16 && new TextEncoder().encode(pattern).length > 50;
}

// A character, 0 for any one, 1 for any number of them.
function stepsOf(pattern: string, escape: string | undefined): string {
  const steps: (string | number)[] = [];
  let isPlain = false;
  for (const one of pattern) {
    const wild = isPlain ? -1 : "_%".indexOf(one);
    isPlain = !isPlain && one === escape;
    if (!isPlain) steps.push(wild < 0 ? one : wild);
  }
  return JSON.stringify(steps);
}
