import {
  type CheckConstraint,
  type Constraint,
  constraintName,
  Expression,
  MetaData,
  type MetaDataOptions,
  Table,
  text,
} from "../../sql/mod.ts";

/** The parts of a table that names are made of. */
export interface NamedTable {
  /** The table's name. */
  readonly name: string;
  /** The naming convention it was made under. */
  readonly metadata: MetaDataOptions;
}

/** The name that a naming convention gives a constraint; nothing where there is none. */
export function nameOf(
  { name, metadata }: NamedTable,
  constraint: Constraint,
  otherwise?: string,
): string | undefined {
  const columns = constraint.kind === "check" ? [] : constraint.columns;
  const names = columns.filter((part) => !(part instanceof Expression));
  const stub = new Table(
    name,
    new MetaData(metadata),
    Object.fromEntries(names.map((column) => [column, text()])),
    [constraint],
  );
  const [key] = stub.foreignKeys;
  return constraintName(
    stub,
    key ?? constraint as Exclude<Constraint, { kind: "foreignKey" }>,
    otherwise,
  );
}

/**
 * A check with the name of which the convention of its place makes the name it
 * has: conventions decorate the names of checks.
 */
export function undecorated(
  place: NamedTable,
  check: CheckConstraint,
): CheckConstraint {
  const { name } = check;
  if (name === undefined || check.isNameFinal) return check;
  const pattern = place.metadata.naming?.check ?? "{name}";
  const [before = "", after = ""] = pattern.replaceAll("{table}", place.name)
    .split("{name}");
  const inner = name.slice(before.length, name.length - after.length);
  const found = { ...check, name: inner };
  // A convention makes no name of its own out of such a one.
  return nameOf(place, found) === name
    ? found
    : { ...check, isNameFinal: true };
}

/**
 * The name under which a constraint without one is spoken of: the one Postgres
 * gives it. SQLite gives none, so there this is the only way to name it.
 */
export function defaultName(table: NamedTable, constraint: Constraint): string {
  const given = nameOf(table, constraint, PATTERNS[constraint.kind]);
  return given ?? `${table.name}_check`;
}

const PATTERNS: Readonly<Record<Constraint["kind"], string | undefined>> = {
  unique: "{table}_{columns}_key",
  foreignKey: "{table}_{columns}_fkey",
  primaryKey: "{table}_pkey",
  check: undefined,
  exclude: "{table}_{columns}_excl",
  index: "ix_{table}_{columns}",
};
