/** Names as a message lists them. */
export function named(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ") || "none";
}
