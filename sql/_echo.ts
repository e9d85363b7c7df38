/** How many characters of either end of a string are shown at most. */
const END = 150;
/** How many values are shown. */
const MOST = 100;

/** Values as they stand in a log line, long ones shortened. */
export function showRow(values: readonly unknown[]): string {
  const shown = values.slice(0, MOST).map(show);
  const more = values.length - MOST;
  if (more > 0) shown.push(`… ${more} more`);
  return `(${shown.join(", ")})`;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  const { byteLength } = value as Partial<ArrayBuffer>;
  if (byteLength !== undefined) return `<${byteLength} bytes>`;
  if (typeof value !== "string") return String(value);
  const left = value.length - 2 * END;
  if (left <= 0) return `'${value}'`;
  return `'${value.slice(0, END)}… ${left} characters …${value.slice(-END)}'`;
}
