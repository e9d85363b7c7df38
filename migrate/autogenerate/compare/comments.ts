import type { TableChange } from "../../operations/operation.ts";
import type { Comparator } from "../comparator.ts";
import { altered, sharedColumns } from "./columns.ts";

/** Remarks on tables and columns, where the database keeps any. */
export const comments: Comparator = {
  name: "comments",
  compare(pair, context) {
    if (!context.dialect.features.comments) return [];
    const now = pair.wanted.table.options.comment ?? null;
    const before = pair.actual.table.options.comment ?? null;
    const ofTable: TableChange[] = now === before
      ? []
      : [{ kind: "setTableComment", comment: now, original: before }];
    return [
      ...ofTable,
      ...sharedColumns(pair, context).flatMap(({ wanted, actual }) => {
        const comment = wanted.spec.comment ?? null;
        return comment === (actual.spec.comment ?? null)
          ? []
          : [altered(wanted.name, { comment })];
      }),
    ];
  },
};
