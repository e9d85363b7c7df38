/** Whether two values are the same by structure: documents, dates, bytes, lists. */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (a instanceof Date) {
    return b instanceof Date && a.getTime() === b.getTime();
  }
  const left = Object.entries(a);
  const right = b as Record<string, unknown>;
  return Array.isArray(a) === Array.isArray(b) &&
    left.length === Object.keys(b).length &&
    left.every(([key, value]) =>
      Object.hasOwn(right, key) && deepEqual(value, right[key])
    );
}
