/**
 * Rebuilds a table that ALTER cannot change, while foreign keys stay on.
 *
 * Dropping a table deletes its rows, and a delete follows ON DELETE CASCADE and
 * its kin into every child: on D1 nothing turns that off. So before the drop no
 * child may name a row of the table. Either the table's own keys are moved out
 * of the way (when no child follows an update of its parent's key), or those of
 * the children are, and moved back afterwards. The rows wait in a table of
 * their own; nothing is renamed, so views and other tables' foreign keys need
 * no care. Checks are deferred, counted before and after, and compared.
 *
 * Everything that the plan takes for granted about the table (columns, indexes,
 * triggers, who refers to it) is asked of the database first, in the same
 * batch: a rebuild of a table that is not as the revisions say would lose what
 * they do not know of.
 *
 * @module
 */
import {
  createIndex,
  createTable,
  type Dialect,
  type ForeignKey,
  quoteName,
  type Table,
  tableName,
  typeSql,
} from "../../sql/mod.ts";
import { UnsupportedChangeError } from "../operations/errors.ts";
import type {
  AlterTable,
  AnyColumn,
  TableChange,
  TableReference,
} from "../operations/operation.ts";
import { plainStatement, type PlannedStatement } from "../planner/statement.ts";
import { reordered } from "../schema/column_order.ts";
import {
  applyChange,
  draftOf,
  find,
  type TableDraft,
  tableOf,
} from "../schema/draft.ts";
import { defaultName } from "../schema/names.ts";
import { referenceTo, type SchemaSnapshot } from "../schema/snapshot.ts";
import { DRIFT_LABEL, ORPHANS_LABEL, REFERRED_LABEL } from "./_guard_labels.ts";
import { sqliteGuard } from "./_sqlite_guard.ts";
import { Place } from "./_sqlite_place.ts";

/** Far below any key in use, and within what a double holds exactly. */
const PARKING = 4_000_000_000_000_000;

/** A foreign key of another table that points at the one to rebuild. */
interface Inbound {
  readonly child: Table;
  readonly key: ForeignKey;
}

/**
 * Plans the rebuild of one table.
 *
 * @throws {UnsupportedChangeError} If rows of children could not be kept.
 */
export function rebuildTable(
  operation: Pick<AlterTable, "table" | "changes" | "partialReordering">,
  table: Table,
  schema: SchemaSnapshot,
  dialect: Dialect,
): PlannedStatement[] {
  const quote = (name: string) => quoteName(name, dialect);
  const place = new Place(table.schema, dialect);
  const draft = draftOf(table);
  for (const change of operation.changes) {
    refuseUnknown(draft, change);
    applyChange(draft, change, dialect);
  }
  if (operation.partialReordering) {
    draft.columns = reordered(draft.columns, operation.partialReordering);
  }
  const rebuilt = tableOf(draft);
  const inbound = inboundKeys(table, schema);
  const name = place.name(table.name);
  const stage = place.name(`_aludel_stage_${table.name}`);
  const counts = place.name(`_aludel_counts_${table.name}`);
  const kept = table.columns.filter((column) => !column.spec.computed);
  const watched = [
    ...new Set([table.name, ...inbound.map(({ child }) => child.name)]),
  ];
  const orphans = watched.map((each) =>
    `(SELECT count(*) FROM ${
      place.pragma("foreign_key_check", dialect.literal(each))
    })`
  ).join(" + ");
  const detach = inbound.length === 0 && !refersToItself(table)
    ? NOTHING
    : detachKeys(table, inbound, schema, dialect);
  const sequence = table.primaryKey.some(({ spec }) => spec.autoincrement)
    ? `(SELECT max(seq) FROM ${place.own("sqlite_sequence")} WHERE name = ${
      dialect.literal(table.name)
    })`
    : undefined;

  return [
    ...expectAsDescribed(table, inbound, dialect),
    ...detach.guards,
    ...[
      "PRAGMA defer_foreign_keys = ON",
      `CREATE TABLE ${counts} AS SELECT ${orphans} AS orphans, ${
        sequence ?? "NULL"
      } AS seq`,
      `CREATE TABLE ${stage} AS SELECT ${
        kept.map((column) => quote(column.name)).join(", ")
      } FROM ${name}`,
      ...detach.before,
      `DROP TABLE ${name}`,
      createTable(rebuilt, dialect),
      copyRows(table, rebuilt, { name, stage }, dialect),
      `DROP TABLE ${stage}`,
      ...(sequence ? restoreSequence(table, counts, dialect) : []),
      ...detach.after,
      ...rebuilt.constraints.filter((one) => one.kind === "index").map((
        index,
      ) => createIndex(rebuilt, index, dialect)),
    ].map(plainStatement),
    sqliteGuard({
      label: ORPHANS_LABEL,
      condition: `${orphans} <= (SELECT orphans FROM ${counts})`,
      detail: dialect.literal(`child to ${table.name}`),
    }),
    plainStatement(`DROP TABLE ${counts}`),
  ];
}

/** Refuses to leave out what is not there: it may be a name that was mistaken. */
function refuseUnknown(draft: TableDraft, change: TableChange): void {
  if (change.kind !== "dropConstraint") return;
  if (change.original || change.ifExists) return;
  if (find(draft, change.name, change.isNameFinal)) return;
  const known = draft.constraints.map((one) =>
    `'${one.name ?? defaultName(draft, one)}'`
  );
  throw new UnsupportedChangeError(
    `Cannot drop constraint '${change.name}' of table '${draft.name}': it has ${
      known.join(", ") || "none"
    }; name one of these`,
  );
}

function inboundKeys(table: Table, schema: SchemaSnapshot): Inbound[] {
  return schema.referring(referenceTo(table)).flatMap((child) =>
    child.foreignKeys.filter((key) => key.targetTable === table.fullName).map((
      key,
    ) => ({ child, key }))
  );
}

function refersToItself(table: Table): boolean {
  return table.foreignKeys.some((key) => key.targetTable === table.fullName);
}

function copyRows(
  table: Table,
  rebuilt: Table,
  { name: into, stage }: { readonly name: string; readonly stage: string },
  dialect: Dialect,
): string {
  const quote = (name: string) => quoteName(name, dialect);
  const old = new Map(table.columns.map((column) => [column.name, column]));
  const columns: string[] = [];
  const values: string[] = [];
  for (const { name, spec } of rebuilt.columns) {
    const source = old.get(name);
    // What is new gets its default; what is computed is computed again.
    if (!source || source.spec.computed || spec.computed) continue;
    columns.push(quote(name));
    values.push(converted(quote(name), source.spec.type, spec.type, dialect));
  }
  return `INSERT INTO ${into} (${columns.join(", ")}) SELECT ${
    values.join(", ")
  } FROM ${stage}`;
}

type ColumnType = AnyColumn["spec"]["type"];

/** Casts where the kind of storage changes; JSON and timestamps stay as they are. */
function converted(
  column: string,
  from: ColumnType,
  to: ColumnType,
  dialect: Dialect,
): string {
  if (from.name === "json" || to.name === "json") return column;
  const target = typeSql(to, dialect);
  return affinity(typeSql(from, dialect)) === affinity(target)
    ? column
    : `CAST(${column} AS ${target})`;
}

/** SQLite's own rules for what a declared type stores. */
function affinity(type: string): string {
  if (/INT/i.test(type)) return "integer";
  if (/CHAR|CLOB|TEXT/i.test(type)) return "text";
  if (/BLOB/i.test(type) || type === "") return "blob";
  return /REAL|FLOA|DOUB/i.test(type) ? "real" : "numeric";
}

function restoreSequence(
  table: Table,
  counts: string,
  dialect: Dialect,
): string[] {
  const sequences = new Place(table.schema, dialect).own("sqlite_sequence");
  const name = dialect.literal(table.name);
  // The numbers of deleted rows must not be given again.
  return [
    `DELETE FROM ${sequences} WHERE name = ${name}`,
    `INSERT INTO ${sequences} (name, seq) SELECT ${name}, seq FROM ${counts} WHERE seq IS NOT NULL`,
  ];
}

/** How children are kept from following the drop. */
interface Detachment {
  /** What must hold for it to be safe. */
  readonly guards: readonly PlannedStatement[];
  /** What moves keys out of the way. */
  readonly before: readonly string[];
  /** What moves them back. */
  readonly after: readonly string[];
}

const NOTHING: Detachment = { guards: [], before: [], after: [] };

function detachKeys(
  table: Table,
  inbound: readonly Inbound[],
  schema: SchemaSnapshot,
  dialect: Dialect,
): Detachment {
  const follows = inbound.some(({ key }) =>
    key.onUpdate !== undefined && key.onUpdate !== "no action"
  );
  if (!follows) return parkOwnKeys(table, inbound, dialect);
  const children = parkChildKeys(inbound, schema, dialect);
  if (!refersToItself(table)) return children;
  const own = parkOwnKeys(table, [], dialect);
  return {
    guards: [...children.guards, ...own.guards],
    before: [...children.before, ...own.before],
    after: children.after,
  };
}

/** Moves the table's own referenced keys; the copied rows bring them back. */
function parkOwnKeys(
  table: Table,
  inbound: readonly Inbound[],
  dialect: Dialect,
): Detachment {
  const own = table.foreignKeys.filter((key) =>
    key.targetTable === table.fullName
  );
  const names = new Set(
    [...inbound.map(({ key }) => key), ...own].map((key) =>
      key.targetColumns[0]!
    ),
  );
  const parked = [...names].map((name) =>
    parking(name, table.column(name).spec.type, dialect, "parent")
  );
  return {
    guards: parked.map(({ isFree }) => freeGuard(table, isFree, dialect)),
    before: [
      `UPDATE ${tableName(table, dialect)} SET ${
        parked.map(({ park }) => park).join(", ")
      }`,
    ],
    after: [],
  };
}

/** Moves the children's keys, and back when the parents are there again. */
function parkChildKeys(
  inbound: readonly Inbound[],
  schema: SchemaSnapshot,
  dialect: Dialect,
): Detachment {
  const guards: PlannedStatement[] = [];
  const before: string[] = [];
  const after: string[] = [];
  for (const { child, key } of inbound) {
    const [column] = key.columns;
    if (!column) continue;
    const isReferenced = inboundKeys(child, schema).some((other) =>
      other.key.targetColumns.includes(column.name)
    );
    if (isReferenced) {
      throw new UnsupportedChangeError(
        `Cannot rebuild table '${key.targetTable}': '${child.name}.${column.name}' follows its keys and is itself a key that others refer to; make a new table and move the rows in steps`,
      );
    }
    const { park, unpark, isFree } = parking(
      column.name,
      column.spec.type,
      dialect,
      "child",
    );
    const name = tableName(child, dialect);
    guards.push(freeGuard(child, isFree, dialect));
    before.push(`UPDATE ${name} SET ${park}`);
    after.push(`UPDATE ${name} SET ${unpark}`);
  }
  return { guards, before, after };
}

interface Parking {
  /** Sets the key to where no key in use can be. NULL stays NULL. */
  readonly park: string;
  /** Sets it back. */
  readonly unpark: string;
  /** True of a key that can be moved and told apart from a moved one. */
  readonly isFree: string;
}

/**
 * Other values for a key, one for each. Parents and children are moved to
 * different places: at the same place they would still name each other.
 */
function parking(
  name: string,
  type: ColumnType,
  dialect: Dialect,
  place: "parent" | "child",
): Parking {
  const column = quoteName(name, dialect);
  if (affinity(typeSql(type, dialect)) === "integer") {
    return {
      park: place === "parent"
        ? `${column} = ${column} + ${PARKING}`
        : `${column} = -${column} - ${PARKING}`,
      unpark: `${column} = -${column} - ${PARKING}`,
      isFree: `${column} IS NULL OR abs(${column}) < ${
        PARKING / 2
      } AND typeof(${column}) = 'integer'`,
    };
  }
  const text = `aludel:${place}:`;
  const prefix = dialect.literal(text);
  return {
    park: `${column} = ${prefix} || ${column}`,
    unpark: `${column} = substr(${column}, ${text.length + 1})`,
    isFree:
      `${column} IS NULL OR substr(${column}, 1, ${text.length}) <> ${prefix} AND typeof(${column}) = 'text'`,
  };
}

function freeGuard(
  table: Table,
  isFree: string,
  dialect: Dialect,
): PlannedStatement {
  return sqliteGuard({
    label: DRIFT_LABEL,
    condition: `NOT EXISTS (SELECT 1 FROM ${
      tableName(table, dialect)
    } WHERE NOT (${isFree}))`,
    detail: dialect.literal(`keys of ${table.name} cannot be moved`),
  });
}

/** Every `table.column` of another table that refers to the named one. */
function selectReferences(name: string, place: Place): string {
  // Reserved tables cannot be asked, so they are left out beforehand.
  return `WITH t AS MATERIALIZED (SELECT name FROM ${
    place.own("sqlite_master")
  } WHERE type = 'table' AND name <> ${name} AND substr(name, 1, 4) <> '_cf_') SELECT t.name || '.' || k."from" AS n FROM t JOIN ${
    place.pragma("foreign_key_list", "t.name")
  } AS k WHERE lower(k."table") = lower(${name})`;
}

/** Aborts the batch if another table refers to one that is about to go. */
export function expectUnreferred(
  { table, schema }: TableReference,
  dialect: Dialect,
): PlannedStatement {
  const place = new Place(schema, dialect);
  const select = selectReferences(dialect.literal(table), place);
  const actual = `(SELECT coalesce(group_concat(n, ','), '') FROM (${select}))`;
  return sqliteGuard({
    label: REFERRED_LABEL,
    condition: `${actual} = ''`,
    detail: `${dialect.literal(`${table} `)} || ${actual}`,
  });
}

function expectAsDescribed(
  table: Table,
  inbound: readonly Inbound[],
  dialect: Dialect,
): PlannedStatement[] {
  const name = dialect.literal(table.name);
  const place = new Place(table.schema, dialect);
  const listed = (what: string, select: string, expected: string[]) => {
    const actual =
      `(SELECT coalesce(group_concat(n, ','), '') FROM (${select} ORDER BY n))`;
    return sqliteGuard({
      label: DRIFT_LABEL,
      condition: `${actual} = ${dialect.literal(expected.sort().join(","))}`,
      detail: `${dialect.literal(`${table.name} has ${what} `)} || ${actual}`,
    });
  };
  return [
    listed(
      "columns",
      `SELECT name AS n FROM ${place.pragma("table_xinfo", name)}`,
      table.columns.map((column) => column.name),
    ),
    listed(
      "indexes and triggers",
      `SELECT name AS n FROM ${
        place.own("sqlite_master")
      } WHERE tbl_name = ${name} AND type IN ('index', 'trigger') AND sql IS NOT NULL`,
      draftOf(table).constraints.filter((one) => one.kind === "index").map((
        index,
      ) => index.name ?? ""),
    ),
    listed(
      "references from",
      selectReferences(name, place),
      inbound.flatMap(({ child, key }) =>
        key.columns.map((column) => `${child.name}.${column.name}`)
      ),
    ),
  ];
}
