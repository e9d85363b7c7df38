import type { Dialect } from "../../sql/mod.ts";
import { qualifiedName } from "./_naming.ts";

/** A database of SQLite's: the main one, or an attached one, which is a schema of its own. */
export class Place {
  readonly #schema: string | undefined;
  readonly #dialect: Dialect;

  /** Names what lies there. */
  constructor(schema: string | undefined, dialect: Dialect) {
    this.#schema = schema;
    this.#dialect = dialect;
  }

  /** The quoted name of a table that lies there. */
  name(table: string): string {
    const schema = this.#schema;
    return qualifiedName(
      schema === undefined ? { table } : { table, schema },
      this.#dialect,
    );
  }

  /** What a pragma tells of a table that lies there: rows to select from. */
  pragma(pragma: string, table: string): string {
    const schema = this.#schema === undefined
      ? ""
      : `, ${this.#dialect.literal(this.#schema)}`;
    return `pragma_${pragma}(${table}${schema})`;
  }

  /** A table that SQLite itself keeps there. */
  own(table: "sqlite_master" | "sqlite_sequence"): string {
    return this.#schema === undefined ? table : this.name(table);
  }
}
