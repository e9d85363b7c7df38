import { compile } from "./compiler.ts";
import type { Dialect, Limits } from "./dialect.ts";
import { restAsJson } from "./limits/json_values.ts";
import { writeLongLike } from "./limits/long_like.ts";
import { packColumns } from "./limits/packed_columns.ts";
import { inPieces } from "./limits/pieces.ts";

/**
 * SQLite's dialect as a platform takes it that refuses what is large: what
 * would be over a limit is written in another way that means the same.
 *
 * Make it once, at module level: a statement keeps its text by dialect.
 */
export function withinLimits(
  dialect: Dialect,
  limits: Required<Limits>,
): Dialect {
  const { params, columns } = limits;
  return {
    ...dialect,
    limits,
    overrides: { ...dialect.overrides, like: writeLongLike },
    packColumns: (list) => packColumns(list, columns),
    compile(statement) {
      const compiled = compile(statement, this);
      return compiled.slots.length > params
        ? restAsJson(statement, this, params)
        : compiled;
    },
    fit(statement, whole) {
      return inPieces(statement, whole, this, limits);
    },
  };
}
