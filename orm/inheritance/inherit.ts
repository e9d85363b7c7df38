import type { Column, Table } from "../../sql/mod.ts";
import { declaresRelation } from "../_declared.ts";
import { MappingError } from "../errors.ts";
import { type AnyClass, Mapper, type MapperParts } from "../mapper.ts";
import { type Member, setMember } from "./hierarchy.ts";

/** What a class adds to what it inherits. */
export interface Addition {
  /** The class's place in its hierarchy. */
  readonly member: Member;
  /** The mapper that it inherits from. */
  readonly parent: Mapper;
  /** Its table. */
  readonly table: Table;
  /** What it was described with. */
  readonly parts: MapperParts;
  /** What its rows come from, the tables that they are spread over, and what tells them apart. */
  readonly rows: Pick<MapperParts, "from" | "tables" | "criterion">;
}

/** Makes the mapper of a class that inherits: what its base has, and what it adds. */
export function inheritingMapper(
  cls: AnyClass,
  { member, parent, table, parts, rows }: Addition,
): Mapper {
  const { columns, keys, attributes, reconstructor } = parts;
  const made = new Mapper(cls, table, {
    ...parts,
    ...rows,
    inherits: parent,
    primaryKey: parent.primaryKey,
    columns: { ...columnsOf(parent), ...columns },
    keys: new Map([...parent.parts.keys ?? [], ...keys ?? []]),
    attributes: { ...parent.parts.attributes, ...attributes },
    reconstructor: reconstructor ?? parent.parts.reconstructor,
  });
  setMember(made, member);
  return made;
}

/** The columns of a mapper by attribute. */
export function columnsOf(mapper: Mapper): Record<string, Column<unknown>> {
  return Object.fromEntries(
    mapper.columns.map((column) => [mapper.keyOf(column), column]),
  );
}

/**
 * Refuses columns whose keys the base has already.
 *
 * @throws {MappingError} If there is one, or a second version counter.
 */
export function checkColumns(
  parent: Mapper,
  label: string,
  columns: Readonly<Record<string, Pick<Column<unknown>, "spec">>>,
): void {
  const cannot = `Cannot inherit "${label}" from ${parent.name}: `;
  for (const [key, column] of Object.entries(columns)) {
    if (
      key in parent.c || declaresRelation(parent, key) || parent.from.c[key]
    ) {
      throw new MappingError(
        `${cannot}both have "${key}"; give the new column another key; named() gives it a name of its own in the database`,
      );
    }
    if (parent.versionColumn && column.spec.info?.version) {
      throw new MappingError(
        `${cannot}its versions are counted by "${parent.versionColumn.key}" already; leave out "${key}"`,
      );
    }
  }
}
