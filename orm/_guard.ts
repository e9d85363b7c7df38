import { GuardError } from "../sql/mod.ts";

/** The label of the guard that watches one of several writes. */
export function guardLabel(at: number): string {
  return `stale:${at}`;
}

/** Which write found other rows than it should have; nothing for other errors. */
export function staleAt(error: unknown): number | undefined {
  return error instanceof GuardError
    ? Number(error.label.replace(/^stale:/, ""))
    : undefined;
}
