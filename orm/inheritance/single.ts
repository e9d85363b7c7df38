import {
  addColumn,
  type Column,
  type ColumnBuilder,
  type Table,
} from "../../sql/mod.ts";
import { mapped, shapeAbove } from "../entity.ts";
import { declaresRelation } from "../_declared.ts";
import { MappingError } from "../errors.ts";
import {
  type AnyClass,
  Mapper,
  mapperOf,
  type MapperParts,
} from "../mapper.ts";
import {
  type DeclarativeOptions,
  type Inheritance,
  sortShape,
} from "../mapping.ts";
import type { DescribedClass, InstanceOf, ShapeOf } from "../types.ts";
import type { IdentityOptions } from "./discriminator.ts";
import { baseOf, describeBelow, type Member } from "./hierarchy.ts";
import { checkColumns, inheritingMapper } from "./inherit.ts";
import type { SubclassOf } from "./types.ts";

type Shape = Readonly<Record<string, unknown>>;

/**
 * A class that inherits from a mapped one and shares its table: Fowler's
 * Single Table Inheritance. What it adds becomes columns of that table, which
 * may be NULL, since rows of other classes have no value for them. A base that
 * declares no {@linkcode polymorphicOn} gets a column "type", which is NULL
 * for the base's own objects.
 *
 * Queries of the class find its own rows and those of classes below it.
 *
 * @example
 * ```ts
 * import { Entity, integer, Session, single, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 * class Intern extends single(User, { school: text() }, { identity: "intern" }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.addAll([
 *   new User({ name: "ed" }),
 *   new Intern({ name: "wendy", school: "MIT" }),
 * ]);
 * await session.commit();
 *
 * const interns = await session.scalars(select(Intern));
 * deepStrictEqual(interns.map(({ name }) => name), ["wendy"]);
 * ```
 *
 * @param base The class that it inherits from.
 * @param shape What it adds: columns, relations and further attributes by key.
 * @throws {MappingError} If the table has a column of a key already, or the identity is taken.
 */
export function single<
  C extends AnyClass,
  T,
  // deno-lint-ignore ban-types -- without further attributes, there are none
  A = {},
>(
  base: C,
  shape: T,
  options:
    & IdentityOptions
    & Pick<
      DeclarativeOptions<
        DescribedClass<ShapeOf<InstanceOf<C>> & T, InstanceOf<C>>,
        A
      >,
      "attributes" | "reconstructor"
    >,
): SubclassOf<C, T & A, ShapeOf<InstanceOf<C>> & T>;
/** The same for {@linkcode mapper}, of a plain class that extends another and is mapped to the same table. */
export function single(
  base: AnyClass | Mapper,
  options: IdentityOptions,
): Inheritance;
export function single(
  base: AnyClass | Mapper,
  first: Shape | IdentityOptions,
  options?: IdentityOptions & DeclarativeOptions<never, object>,
): unknown {
  const above = baseOf(base);
  const parent = base instanceof Mapper ? base : mapperOf(base);
  const make = (
    cls: AnyClass,
    table: Table,
    parts: MapperParts,
    member: Member,
  ): Mapper => {
    const { from, tables } = parent;
    const criterion: MapperParts["criterion"] = (at) => member.criterion(at);
    const rows = { from, tables, criterion };
    return inheritingMapper(cls, { member, parent, table, parts, rows });
  };
  if (!options) {
    let member: Member | undefined;
    const inherits: Inheritance = (cls, table, parts) => {
      if (table !== parent.table) {
        throw new MappingError(
          `Cannot inherit ${cls.name} from ${parent.name}: it is mapped to table "${table.fullName}", its base to "${parent.table.fullName}"; map both to one table, or use joined()`,
        );
      }
      member ??= above.extend(cls.name, first as IdentityOptions);
      return make(cls, table, parts, member);
    };
    return inherits;
  }
  const label = `${options.identity ?? parent.table.name}`;
  const { columns: builders, relations, attributes } = sortShape(
    first as Shape,
    label,
  );
  const { table } = parent;
  const fresh = Object.fromEntries(
    Object.entries(builders).filter(([key, one]) => !sharedAt(parent, key, one))
      // Rows of other classes have no value for it.
      .map(([key, one]) => [key, one.with({ nullable: true })]),
  );
  checkColumns(parent, label, fresh);
  const member = above.extend(label, options);
  for (const [key, builder] of Object.entries(fresh)) {
    Object.assign(parent.from.c, { [key]: addColumn(table, key, builder) });
  }
  const columns = Object.fromEntries(
    Object.keys(builders).map((key) => [key, table.column(key)]),
  );
  const described = mapped(base as AnyClass);
  const further = options.attributes?.(
    { c: { ...parent.c, ...columns }, prototype: described.prototype } as never,
  );
  const { reconstructor } = options;
  const parts = {
    relations,
    attributes: { ...attributes, ...further },
    columns,
    reconstructor,
  };
  describeBelow(described, {
    table,
    parts,
    shape: { ...shapeAbove(base), ...first, ...further },
    map: (cls) => make(cls, table, parts, member),
  });
  return described;
}

/** Whether another subclass has added the same column to the base's table. */
function sharedAt(
  parent: Mapper,
  key: string,
  { spec }: ColumnBuilder<unknown>,
): boolean {
  const there: Column<unknown> | undefined = parent.table.c[key];
  return there?.spec.type.name === spec.type.name && !(key in parent.c) &&
    !declaresRelation(parent, key);
}
