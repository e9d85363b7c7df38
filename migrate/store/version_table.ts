import {
  type Dialect,
  type Engine,
  MetaData,
  primaryKey,
  Raw,
  sql,
  type Table,
  table,
  text,
} from "../../sql/mod.ts";
import { HEADS_LABEL } from "../dialects/_guard_labels.ts";
import type { MigrationDialect } from "../dialects/implementation.ts";
import type { HeadChange } from "../graph/heads.ts";
import {
  plainStatement,
  type PlannedStatement,
  planStatement,
} from "../planner/statement.ts";
import type { VersionTableOptions } from "./options.ts";
import { StoredTable } from "./stored_table.ts";

/** The table of heads: which revisions a database holds. */
export class VersionTable extends StoredTable {
  readonly #options: VersionTableOptions;

  /** Keeps to one database's dialect. */
  constructor(
    dialect: Dialect,
    migrations: MigrationDialect,
    options: VersionTableOptions,
  ) {
    const { versionTable = "aludel_version", versionTableSchema } = options;
    super(versionTable, versionTableSchema, dialect, migrations);
    this.#options = options;
  }

  /** @ignore */
  override get select(): string {
    return `SELECT version_num FROM ${this.quoted} ORDER BY version_num`;
  }

  /** @ignore */
  override get description(): Table {
    const { versionTablePrimaryKey = true, versionTableColumns = {} } =
      this.#options;
    return table(
      this.name,
      new MetaData(),
      { version_num: text(), ...versionTableColumns },
      versionTablePrimaryKey
        ? [primaryKey(["version_num"], `${this.name}_pkc`)]
        : [],
      this.place,
    );
  }

  /**
   * Reads the heads.
   *
   * @returns `undefined` if the table is not there.
   */
  async read(engine: Engine): Promise<string[] | undefined> {
    const rows = await this.rows(engine);
    return rows?.map(([version]) => version as string);
  }

  /** Aborts the batch unless the rows are exactly these. */
  expect(heads: readonly string[]): PlannedStatement {
    const actual = this.migrations.joined("version_num", this.quoted);
    const expected = [...heads].sort().join(",");
    return this.migrations.guard({
      label: HEADS_LABEL,
      condition: `${actual} = ${this.dialect.literal(expected)}`,
      detail: actual,
    }, this.dialect);
  }

  /** Exchanges version rows. */
  change({ deletes, update, inserts }: HeadChange): PlannedStatement[] {
    const version = new Raw(this.quoted);
    return [
      ...deletes.map((row) =>
        sql`DELETE FROM ${version} WHERE version_num = ${row}`
      ),
      ...inserts.map((row) =>
        sql`INSERT INTO ${version} (version_num) VALUES (${row})`
      ),
      ...(update
        ? [
          sql`UPDATE ${version} SET version_num = ${update.to} WHERE version_num = ${update.from}`,
        ]
        : []),
    ].map((statement) => planStatement(statement, this.dialect));
  }

  /** Empties it. */
  purge(): PlannedStatement {
    return plainStatement(`DELETE FROM ${this.quoted}`);
  }
}
