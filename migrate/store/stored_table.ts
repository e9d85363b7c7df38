import {
  createTable,
  type Dialect,
  type Engine,
  type Table,
} from "../../sql/mod.ts";
import { qualifiedName } from "../dialects/_naming.ts";
import type { MigrationDialect } from "../dialects/implementation.ts";
import { plainStatement, type PlannedStatement } from "../planner/statement.ts";

/** A table that migrations themselves keep, and that need not be there yet. */
export abstract class StoredTable {
  /** Its name, for messages. */
  readonly name: string;
  /** Its quoted name, ready for SQL text. */
  readonly quoted: string;
  /** The schema that it lies in. */
  readonly place: { readonly schema?: string };
  /** The database's language. */
  readonly dialect: Dialect;
  /** What migrations must know of it. */
  readonly migrations: MigrationDialect;

  /** Keeps to one database's dialect. */
  constructor(
    name: string,
    schema: string | undefined,
    dialect: Dialect,
    migrations: MigrationDialect,
  ) {
    this.name = name;
    this.place = schema === undefined ? {} : { schema };
    this.quoted = qualifiedName({ table: name, ...this.place }, dialect);
    this.dialect = dialect;
    this.migrations = migrations;
  }

  /** The query for all of its rows. */
  abstract readonly select: string;

  /** What it is. */
  abstract readonly description: Table;

  /** Makes it where it is not there. */
  create(): PlannedStatement {
    const options = { ifNotExists: true };
    return plainStatement(
      createTable(this.description, this.dialect, options),
    );
  }

  /** A query that gives a row if it is there. */
  exists(): PlannedStatement {
    const { schema } = this.place;
    return this.migrations.tableExists(this.name, schema, this.dialect);
  }

  /** Its rows; nothing if it is not there. */
  async rows(
    engine: Engine,
  ): Promise<readonly (readonly unknown[])[] | undefined> {
    for (let isSecond = false;; isSecond = true) {
      try {
        return (await engine.send({ sql: this.select, params: [] })).rows;
      } catch (error) {
        const { rows } = await engine.send(this.exists());
        if (rows.length === 0) return undefined;
        // Another runner may have made it between the two questions.
        if (isSecond) throw error;
      }
    }
  }
}
