import {
  ColumnBuilder,
  type ColumnBuilders,
  MetaData,
  type Table,
  table as makeTable,
} from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import { defineHandles } from "./handles.ts";
import {
  type AnyClass,
  type Definition,
  Mapper,
  type RelationSpecs,
  setMapper,
} from "./mapper.ts";
import type { RelationSpec } from "./relation.ts";

/** Settings of an imperative mapping. */
export interface MapperOptions {
  /** Relations by key. */
  readonly properties?: RelationSpecs;
}

/** Maps a plain class, which stays plain, to a table: Fowler's Data Mapper. */
export function mapper(
  cls: AnyClass,
  table: Table,
  options: MapperOptions = {},
): Mapper {
  const properties = options.properties ?? {};
  const made = new Mapper(cls, table, properties);
  defineHandles(cls, Object.keys(properties));
  setMapper(cls, made);
  return made;
}

/** The description of a declarative class with a table of its own. */
export function tableDefinition(
  name: string,
  shape: Readonly<Record<string, unknown>>,
  metadata: () => MetaData | undefined,
): Definition {
  const columns: Record<string, ColumnBuilder<unknown>> = {};
  const relations: Record<string, () => RelationSpec<unknown>> = {};
  for (const [key, value] of Object.entries(shape)) {
    if (value instanceof ColumnBuilder) columns[key] = value;
    else if (typeof value === "function") {
      relations[key] = value as () => RelationSpec<unknown>;
    } else {
      throw new MappingError(
        `Cannot describe "${key}" of table "${name}": it is neither a column nor a function that gives a relation`,
      );
    }
  }
  // The table is made with the description, so that createAll() knows it.
  const made: Table = makeTable(
    name,
    metadata() ?? new MetaData(),
    columns as ColumnBuilders,
  );
  return { name, shape, map: (cls) => new Mapper(cls, made, relations) };
}
