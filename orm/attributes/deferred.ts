import {
  type Column,
  type ColumnBuilder,
  type Optionality,
  type RowItem,
  Select,
  type SelectOption,
  type Statement,
} from "../../sql/mod.ts";
import { columnsQuery } from "../_columns_query.ts";
import { among } from "../loading/related.ts";
import type { Reader } from "../loading/loader.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import type { SameRow } from "../session_options.ts";
import { stateOf } from "../state.ts";

/** Settings of a deferred column. */
export interface DeferredOptions {
  /** Loading one column of a group loads them all. */
  readonly group?: string;
}

/**
 * A column that queries leave out until it is asked for. Reading it before is
 * an error; {@linkcode undefer} and {@linkcode loadColumns} bring it.
 *
 * @example
 * ```ts
 * import { deferred, Entity, integer, text } from "@aludel/aludel/orm";
 *
 * class Book extends Entity.table("books", {
 *   id: integer().primaryKey(),
 *   title: text(),
 *   summary: deferred(text(), { group: "long" }),
 *   body: deferred(text(), { group: "long" }),
 * }) {}
 * Book.c.body;
 * ```
 */
export function deferred<T, O extends Optionality>(
  column: ColumnBuilder<T, O>,
  options: DeferredOptions = {},
): ColumnBuilder<T, O> {
  const { info } = column.spec;
  return column.with({ info: { ...info, deferred: options.group ?? true } });
}

/** An option that changes which columns a query selects. */
export interface ColumnOption extends SelectOption<SameRow> {
  /** @ignore */
  rewrite(statement: Statement<unknown>): Statement<unknown>;
}

type Choose = (
  mapper: Mapper,
  selected: readonly Column<unknown>[],
) => readonly Column<unknown>[];

/** Selects columns along, though they are deferred. */
export function undefer(...columns: Column<unknown>[]): ColumnOption {
  return choosing(columns, (_, selected) => [...selected, ...columns]);
}

/** Selects a group of deferred columns along. */
export function undeferGroup(cls: AnyClass, group: string): ColumnOption {
  return choosing(
    mapperOf(cls),
    (mapper, selected) => [...selected, ...deferredOf(mapper, group)],
  );
}

/** Leaves columns out of a query; their objects do not have them. */
export function defer(...columns: Column<unknown>[]): ColumnOption {
  return choosing(
    columns,
    (_, selected) => selected.filter((column) => !columns.includes(column)),
  );
}

/** Leaves every column out of a query but these, and the primary key. */
export function loadOnly(...columns: Column<unknown>[]): ColumnOption {
  return choosing(columns, () => columns);
}

/**
 * Loads columns of objects that are not there: deferred, or left out by an
 * option, or of a subclass where the base was queried. One trip for all of the
 * objects, and of a subclass only its own table; the rest of a column's group
 * comes along. What is there stays.
 *
 * @param session The session that the objects are in.
 * @param objects One object, or several of one class.
 * @param columns The columns.
 */
export async function loadColumns(
  session: Reader,
  objects: object | readonly object[],
  ...columns: Column<unknown>[]
): Promise<void> {
  const states = [objects].flat().map(stateOf);
  const [first] = states;
  if (!first) return;
  const { mapper } = first;
  const wanted = new Set<Column<unknown>>();
  for (const column of columns) {
    wanted.add(column);
    const group = column.spec.info?.deferred;
    if (typeof group === "string") {
      for (const one of deferredOf(mapper, group)) wanted.add(one);
    }
  }
  const keys = states.map((state) => state.primaryKey);
  const reads = mapper.tables.flatMap((one, i) => {
    const isHere = ({ table }: Column<unknown>) => table === one.table;
    const own = [...wanted].filter(isHere);
    if (own.length === 0) return [];
    // What a subclass adds comes as one.
    const rest = mapper.columns.filter((column) =>
      i > 0 && isHere(column) && !column.spec.info?.deferred
    );
    const query = columnsQuery(mapper, one, [...new Set([...own, ...rest])]);
    return session.read(query.where(among(one.key, keys)));
  });
  await session.run(reads);
}

function deferredOf(mapper: Mapper, group: string): Column<unknown>[] {
  return mapper.allColumns.filter(({ spec }) => spec.info?.deferred === group);
}

function choosing(
  of: Mapper | readonly Column<unknown>[],
  choose: Choose,
): ColumnOption {
  const isOf = (mapper: Mapper): boolean =>
    Array.isArray(of)
      ? of.some((column) => mapper.allColumns.includes(column))
      : mapper === of;
  return {
    rewrite(statement): Statement<unknown> {
      if (!(statement instanceof Select)) return statement;
      const items = statement.shape.items.map((item): RowItem => {
        const { source } = item;
        const mapper = source?.owner as Mapper | undefined;
        if (!source || !mapper || !isOf(mapper)) return item;
        const chosen = new Set([
          ...mapper.primaryKey,
          ...mapper.polymorphism?.columns ?? [],
          ...choose(mapper, source.columns),
        ]);
        // Another option may have put something in a column's place.
        const columns = mapper.allColumns.flatMap((column) => {
          const here = source.columns.find(({ key }) => key === column.key) ??
            column;
          return chosen.has(column) || chosen.has(here) ? [here] : [];
        });
        return {
          ...item,
          source: { ...source, columns },
          expressions: columns,
        };
      });
      return new Select(
        { ...statement.shape, items },
        { ...statement.state, items },
        statement.optionList,
      );
    },
  };
}
