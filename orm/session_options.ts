import type { SelectOption } from "../sql/mod.ts";

/** An option of a query: rows overwrite what is in memory, pending changes too. */
export const populateExisting: SelectOption & {
  /** @ignore */
  readonly kind: "populateExisting";
} = { kind: "populateExisting" };
