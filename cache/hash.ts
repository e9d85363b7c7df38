/** A 32-bit hash of a key: the same everywhere, and for ever. */
export function hashKey(key: string): number {
  let hash = 0;
  for (const char of key) hash = hash * 100_003 + char.codePointAt(0)! >>> 0;
  return hash;
}
