import type { RowFunction, SelectOption } from "../sql/mod.ts";

/** What an option that loads nothing does to a row's type. */
export interface SameRow extends RowFunction {
  /** The row as it was. */
  readonly result: this["row"];
}

/** An option of a query: rows overwrite what is in memory, pending changes too. */
export const populateExisting: SelectOption<SameRow> & {
  /** @ignore */
  readonly kind: "populateExisting";
} = { kind: "populateExisting" };
