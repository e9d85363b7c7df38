import { type Dialect, type Limits, sqlite, withinLimits } from "../sql/mod.ts";

/** What D1 and Durable Objects refuse, as documented and as workerd enforces it. */
export const D1_LIMITS: Required<Limits> = {
  params: 100,
  columns: 100,
  compound: 5,
  depth: 100,
  like: 50,
  sqlBytes: 100_000,
  valueBytes: 2_000_000,
};

/** SQLite's dialect, written around those limits. */
export const D1_DIALECT: Dialect = /* @__PURE__ */ withinLimits(
  sqlite,
  D1_LIMITS,
);
