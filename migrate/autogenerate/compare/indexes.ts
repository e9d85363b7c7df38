import {
  Expression,
  type IndexConstraint,
  Phrase,
  quoteName,
  Raw,
} from "../../../sql/mod.ts";
import type { TableChange } from "../../operations/operation.ts";
import type { Comparator, CompareContext, Side } from "../comparator.ts";
import { subjectsOf } from "../sql_text.ts";
import { isKeptAlike } from "./kept.ts";

/** Indexes, by name: one that is another now is dropped and made anew. */
export const indexes: Comparator = {
  name: "indexes",
  compare({ wanted, actual }, context) {
    const { filter, remark } = context;
    const now = byName(wanted, context);
    const before = byName(actual, context);
    const changes: TableChange[] = [];
    for (const [name, index] of now) {
      const there = before.get(name);
      if (!there) {
        if (filter.constraint(index, false)) changes.push(created(index));
        continue;
      }
      const verdict = compareIndexes(index, there, context);
      if (verdict === "unknown") {
        remark(
          `Index '${index.name}' may differ: the database spells its expressions in its own way`,
        );
      }
      if (verdict === "other" && filter.constraint(index, false, there)) {
        changes.push(dropped(there), created(index));
      }
    }
    for (const [name, index] of before) {
      if (!now.has(name) && filter.constraint(index, true)) {
        changes.push(dropped(index));
      }
    }
    return changes;
  },
};

function byName(
  { draft }: Side,
  { comparison }: CompareContext,
): Map<string, IndexConstraint> {
  return new Map(
    draft.constraints.filter((one) => one.kind === "index").map((
      index,
    ) => [comparison.keptName(index.name ?? ""), index]),
  );
}

function compareIndexes(
  wanted: IndexConstraint,
  actual: IndexConstraint,
  context: CompareContext,
): "same" | "other" | "unknown" {
  if ((wanted.unique ?? false) !== (actual.unique ?? false)) return "other";
  if (!isKeptAlike(wanted, actual, context)) return "other";
  const [now, before] = [wanted, actual].map((index) => [
    ...index.columns.map((part) => partText(part, context)),
    `where ${index.where ? context.sql(index.where) : ""}`,
  ]);
  if (now?.length !== before?.length) return "other";
  const others = (now ?? []).filter((text, at) => text !== before?.[at]);
  if (others.length === 0) return "same";
  const isSpelling = context.comparison.rewritesSql &&
    now?.every((text, at) =>
      subjectsOf(text) === subjectsOf(before?.[at] ?? "")
    ) && others.every((text) => /\W/.test(text.replace(/ (desc|asc)$/, "")));
  return isSpelling ? "unknown" : "other";
}

/** A part as text: a column, or an expression, each perhaps with a direction. */
function partText(
  part: string | Expression<unknown>,
  { sql, dialect }: CompareContext,
): string {
  if (typeof part === "string") return sql(new Raw(quoteName(part, dialect)));
  if (part instanceof Phrase && part.kind === "suffix") {
    const [inner, suffix] = part.parts;
    const direction = String(suffix).trim().toLowerCase();
    const text = inner instanceof Expression ? sql(inner) : "";
    return direction === "asc" ? text : `${text} ${direction}`;
  }
  return sql(part);
}

function created(index: IndexConstraint): TableChange {
  return {
    kind: "createIndex",
    index,
    ifNotExists: false,
    concurrently: false,
  };
}

function dropped(index: IndexConstraint): TableChange {
  return {
    kind: "dropIndex",
    name: index.name ?? "",
    ifExists: false,
    concurrently: false,
    original: index,
  };
}
