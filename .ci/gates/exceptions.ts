/**
 * The entries that may do what the others may not, each with its reason.
 *
 * This list is the only place where the purity of an entry is relaxed.
 */
export interface Exception {
  /** The key in the `exports` map. */
  readonly entry: string;
  /** Modules of Node that may be imported. */
  readonly node?: readonly string[];
  /** May name the `Deno` namespace. */
  readonly deno?: true;
  /** Bytes that may remain when the entry is imported and nothing is used. */
  readonly sideEffectBytes?: number;
  readonly reason: string;
}

/** Every exception there is. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    entry: "./backends/sqlite",
    node: ["node:sqlite"],
    deno: true,
    reason: "SQLite in a file is a server-side engine",
  },
  {
    entry: "./backends/deno-kv",
    deno: true,
    reason: "Deno KV is reached through Deno.openKv",
  },
  {
    entry: "./testing",
    node: ["node:assert", "node:assert/strict"],
    reason: "the suites assert, and run where tests run",
  },
];

/** The exception of an entry, if it has one. */
export function exceptionOf(entry: string): Exception | undefined {
  return EXCEPTIONS.find((exception) => exception.entry === entry);
}
