import {
  and,
  type Column,
  ColumnBuilder,
  foreignKey,
  type ForeignKeyOptions,
  Join,
  type Optionality,
  type Table,
} from "../../sql/mod.ts";
import { mapped, shapeAbove } from "../entity.ts";
import { MappingError } from "../errors.ts";
import { type AnyClass, Mapper, mapperOf, type RowTable } from "../mapper.ts";
import {
  type DeclarativeOptions,
  type Inheritance,
  sortShape,
  tableDefinition,
} from "../mapping.ts";
import type { DescribedClass, InstanceOf, ShapeOf } from "../types.ts";
import type { IdentityOptions } from "./discriminator.ts";
import { baseOf, describeBelow, type Member } from "./hierarchy.ts";
import { checkColumns, inheritingMapper } from "./inherit.ts";
import { JoinedTables } from "./joined_tables.ts";
import type { SubclassOf } from "./types.ts";

/** Settings of a class with a table of its own for what it adds. */
export interface JoinedOptions
  extends IdentityOptions, Pick<ForeignKeyOptions, "onDelete" | "onUpdate"> {
  /** Whether the database deletes its rows with those of the base. @default {false} */
  readonly passiveDeletes?: boolean;
}

type Shape = Readonly<Record<string, unknown>>;

/**
 * A class that inherits from a mapped one and keeps what it adds in a table of
 * its own, whose key is that of the base's row: Fowler's Class Table
 * Inheritance. A base that declares no {@linkcode polymorphicOn} gets a
 * column "type", which is NULL for the base's own objects.
 *
 * A column is its table's: a query of columns alone names the class as well,
 * `select({ name: Manager.c.name, level: Manager.c.level }).from(Manager)`, or
 * the two tables are not joined and each row of one meets each of the other.
 *
 * @example
 * ```ts
 * import { Entity, integer, joined, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { ok, strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 * class Manager extends joined(User, "managers", { level: integer() }, {
 *   identity: "manager",
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new Manager({ name: "ed", level: 3 }));
 * await session.commit();
 *
 * const [ed] = await session.scalars(select(User));
 * ok(ed instanceof Manager);
 * strictEqual(ed.level, 3);
 * ```
 *
 * @param base The class that it inherits from.
 * @param table The name of its table.
 * @param shape What it adds: columns, relations and further attributes by key.
 * @throws {MappingError} If base and subclass both have a column of one key, or the identity is taken.
 */
export function joined<
  C extends AnyClass,
  T,
  // deno-lint-ignore ban-types -- without further attributes, there are none
  A = {},
>(
  base: C,
  table: string,
  shape: T,
  options:
    & JoinedOptions
    & DeclarativeOptions<
      DescribedClass<ShapeOf<InstanceOf<C>> & T, InstanceOf<C>>,
      A
    >,
): SubclassOf<C, T & A, T>;
/**
 * The same for {@linkcode mapper}, of a plain class that extends another: the
 * table's primary key must be a foreign key to the base's table.
 *
 * @example
 * ```ts
 * import { joined, mapper, polymorphicOn } from "@aludel/aludel/orm";
 * import { integer, MetaData, table, text } from "@aludel/aludel/sql";
 *
 * const metadata = new MetaData();
 * const employees = table("employees", metadata, {
 *   id: integer().primaryKey(),
 *   type: polymorphicOn(text(), { identity: "employee" }),
 * });
 * const managers = table("managers", metadata, {
 *   id: integer().primaryKey().references("employees.id"),
 *   level: integer(),
 * });
 * class Employee {}
 * class Manager extends Employee {}
 * mapper(Employee, employees);
 * mapper(Manager, managers, { inherits: joined(Employee, { identity: "manager" }) });
 * ```
 */
export function joined(
  base: AnyClass | Mapper,
  options: JoinedOptions,
): Inheritance;
export function joined(
  base: AnyClass | Mapper,
  first: string | JoinedOptions,
  shape: Shape = {},
  options: JoinedOptions & DeclarativeOptions<never, object> = {},
): unknown {
  const parentMember = baseOf(base);
  const parent = base instanceof Mapper ? base : mapperOf(base);
  if (typeof first !== "string") {
    const { passiveDeletes } = first;
    let member: Member | undefined;
    const inherits: Inheritance = (cls, table, parts) => {
      member ??= parentMember.extend(cls.name || table.name, first);
      const key = keyTo(parent, table);
      const columns = ownColumns(parts.columns ?? {}, key);
      checkColumns(parent, member.label, columns);
      return inheritingMapper(cls, {
        ...{ member, parent, table },
        parts: { ...parts, columns },
        rows: rowsOf(parent, { table, key, isPassive: passiveDeletes }),
      });
    };
    return inherits;
  }
  const {
    passiveDeletes,
    onDelete = passiveDeletes ? "cascade" : undefined,
    onUpdate,
    constraints = [],
    ...rest
  } = options;
  checkColumns(parent, first, sortShape(shape, first).columns);
  const member = parentMember.extend(first, options);
  const described = mapped(base as AnyClass);
  const above = parent.tables.at(-1) as RowTable;
  const description = tableDefinition(
    described,
    first,
    { ...keyBuilders(above), ...shape },
    above.table.metadata,
    {
      ...rest,
      schema: above.table.schema,
      constraints: (c: never) => [
        foreignKey(
          above.key.map((column) => column.key),
          above.key.map(({ name }) => `${above.table.fullName}.${name}`),
          { ...onDelete && { onDelete }, ...onUpdate && { onUpdate } },
        ),
        ...typeof constraints === "function" ? constraints(c) : constraints,
      ],
    } as DeclarativeOptions<never, object>,
  );
  const { table, parts } = description;
  const key = above.key.map((column) => table.column(column.key));
  const columns = ownColumns(table.c, key);
  const rows = rowsOf(parent, { table, key, isPassive: passiveDeletes });
  describeBelow(described, {
    ...description,
    shape: { ...shapeAbove(base), ...description.shape },
    map: (cls) =>
      inheritingMapper(cls, {
        ...{ member, parent, table, rows },
        parts: { ...parts, columns },
      }),
  });
  return described;
}

/** A key like that of the base's table, which the database does not number. */
function keyBuilders({ key }: RowTable): Shape {
  return Object.fromEntries(
    key.map(({ key, name, spec: { type } }) => [
      key,
      new ColumnBuilder<unknown, Optionality>({
        ...{ type, name, nullable: false, primaryKey: true },
        autoincrement: false,
      }),
    ]),
  );
}

/** The key of a table that names rows of the base's. */
function keyTo(parent: Mapper, table: Table): readonly Column<unknown>[] {
  const above = parent.tables.at(-1) as RowTable;
  const found = table.foreignKeys.find(({ columns, targetTable }) =>
    targetTable === above.table.fullName &&
    columns.length === above.key.length &&
    columns.every((column) => table.primaryKey.includes(column))
  );
  if (!found) {
    throw new MappingError(
      `Cannot inherit from ${parent.name}: the primary key of table "${table.fullName}" refers to no row of "${above.table.fullName}"; add references()`,
    );
  }
  return above.key.map(({ name }) =>
    found.columns[found.targetColumns.indexOf(name)] as Column<unknown>
  );
}

function ownColumns(
  columns: Readonly<Record<string, Column<unknown>>>,
  key: readonly Column<unknown>[],
): Record<string, Column<unknown>> {
  return Object.fromEntries(
    Object.entries(columns).filter(([, column]) => !key.includes(column)),
  );
}

/** The rows of the base, joined by their key with those of one more table. */
function rowsOf(
  parent: Mapper,
  added: RowTable,
): { from: JoinedTables; tables: readonly RowTable[] } {
  const { table, key } = added;
  const on = and(
    ...key.map((column, i) =>
      column.eq(parent.primaryKey[i] as Column<unknown>)
    ),
  );
  const { from } = parent;
  const [first, joins] = from instanceof JoinedTables
    ? [from.first, from.joins]
    : [from, []];
  const c = { ...table.c, ...from.c };
  // Whoever refers to the key of this table means that of the base.
  key.forEach((column, i) => c[column.key] = parent.primaryKey[i]);
  return {
    from: new JoinedTables(first, [...joins, new Join("JOIN", table, on)], c),
    tables: [...parent.tables, added],
  };
}
