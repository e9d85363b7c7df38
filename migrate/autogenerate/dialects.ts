import type { Dialect } from "../../sql/mod.ts";
import { OperationError } from "../operations/errors.ts";

/** What a comparison must know of a database beside its language. */
export interface ComparisonDialect {
  /** The schema of tables that name none. */
  readonly defaultSchema: string;
  /** The words for a type that the database may use, by the words of ours, in small letters. */
  readonly synonyms: Readonly<Record<string, string>>;
  /** Further words under which a type of ours may be declared, by its name. */
  readonly alsoDeclared: Readonly<Record<string, readonly string[]>>;
  /** Whether the database itself names constraints that are given no name. */
  readonly namesConstraints: boolean;
  /** Whether a table may be rebuilt, for which those that refer to it must be known. */
  readonly rebuildsTables: boolean;
  /** Whether an index and a key say how they are kept: INCLUDE, USING and their kin. */
  readonly keepsIndexOptions: boolean;
  /** Whether SQL comes back in the database's own spelling. */
  readonly rewritesSql: boolean;
  /** A name as the database keeps and compares it. */
  keptName(name: string): string;
}

const sqliteComparison: ComparisonDialect = {
  defaultSchema: "main",
  synonyms: { int: "integer", bool: "boolean", "double precision": "real" },
  // What other tools declare, and what is read as the same here.
  alsoDeclared: {
    bigint: ["bigint", "int8"],
    timestamp: ["timestamp", "datetime"],
    instant: ["timestamp", "datetime"],
    date: ["date"],
    time: ["time"],
    json: ["json"],
    uuid: ["uuid"],
    real: ["double", "float"],
  },
  namesConstraints: false,
  rebuildsTables: true,
  keepsIndexOptions: false,
  rewritesSql: false,
  keptName: (name) => name.toLowerCase(),
};

const postgresComparison: ComparisonDialect = {
  defaultSchema: "public",
  synonyms: {
    timestamptz: "timestamp with time zone",
    timestamp: "timestamp without time zone",
    time: "time without time zone",
    varchar: "character varying",
    char: "character",
    int: "integer",
    int2: "smallint",
    int4: "integer",
    int8: "bigint",
    float8: "double precision",
    bool: "boolean",
    decimal: "numeric",
  },
  alsoDeclared: {},
  namesConstraints: true,
  rebuildsTables: false,
  keepsIndexOptions: true,
  rewritesSql: true,
  keptName: truncated,
};

/** Postgres keeps 63 bytes of a name. */
function truncated(name: string): string {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= 63) return name;
  return new TextDecoder().decode(bytes.subarray(0, 63)).replace(/\uFFFD$/, "");
}

const KNOWN: Readonly<Record<string, ComparisonDialect>> = {
  sqlite: sqliteComparison,
  postgres: postgresComparison,
};

/**
 * Finds what a comparison needs to know of a dialect.
 *
 * @throws {OperationError} If the dialect is not known and none is given.
 */
export function comparisonDialect(
  dialect: Dialect,
  given?: ComparisonDialect,
): ComparisonDialect {
  const found = given ?? KNOWN[dialect.name];
  if (found) return found;
  throw new OperationError(
    `Cannot compare schemas of dialect '${dialect.name}': it is not known how it declares types; give comparisonDialect`,
  );
}
