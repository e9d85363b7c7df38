import { leavesOut } from "../absence.ts";
import {
  type Column,
  type ColumnBuilder,
  copyOf,
  type FromClause,
  type Optionality,
  type RowFunction,
  type RowItem,
  Select,
  type SelectOption,
  type Statement,
} from "../../sql/mod.ts";
import { columnsQuery } from "../_columns_query.ts";
import { readerOf } from "../_reader_of.ts";
import { among } from "../loading/related.ts";
import { type AnyClass, type Mapper, mapperOf } from "../mapper.ts";
import type { Session } from "../session.ts";
import type { SameRow } from "../session_options.ts";
import { columnAt } from "../relation_view.ts";
import { stateOf } from "../state.ts";
import type {
  Deferred,
  DeferredKey,
  InstanceOf,
  ShapeOf,
  Undeferred,
} from "../types.ts";

/** Settings of a deferred column. */
export interface DeferredOptions<Group extends string = string> {
  /** Loading one column of a group loads them all. */
  readonly group?: Group;
}

/**
 * A column that queries leave out until it is asked for. Reading it before is
 * an error, of the compiler too; {@linkcode undefer} and
 * {@linkcode loadColumns} bring it, and give objects that have it.
 *
 * @example
 * ```ts
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { deferred, Entity, integer, Session, text, undefer } from "@aludel/aludel/orm";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class Book extends Base.table("books", {
 *   title: text(),
 *   summary: deferred(text(), { group: "long" }),
 *   body: deferred(text(), { group: "long" }),
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new Book({ title: "x", summary: "short", body: "long" }));
 * await session.commit();
 *
 * const book = await session.one(select(Book).options(undefer(Book.c.body)));
 * strictEqual(book.body.length, 4); // `book.summary.length` would not compile
 * ```
 */
export function deferred<
  T,
  O extends Optionality,
  const Group extends string = "",
>(
  column: ColumnBuilder<T, O>,
  options: DeferredOptions<Group> = {},
): ColumnBuilder<T, O> & Deferred<Group> {
  leavesOut();
  const { info } = column.spec;
  return column.with({
    info: { ...info, deferred: options.group ?? true },
  }) as ColumnBuilder<T, O> & Deferred<Group>;
}

/** An option that changes which columns a query selects. */
export interface ColumnOption<F extends RowFunction = SameRow>
  extends SelectOption<F> {
  /** @ignore */
  rewrite(statement: Statement<unknown>): Statement<unknown>;
}

/** What loading deferred attributes of some keys does to a row's type. */
export interface Undefers<Key extends PropertyKey> extends RowFunction {
  /** The row with them. */
  readonly result: RowWith<this["row"], Key>;
}

/** A row whose objects have deferred attributes of some keys. */
export type RowWith<Row, Key extends PropertyKey> = Row extends
  readonly unknown[] ? { -readonly [K in keyof Row]: Undeferred<Row[K], Key> }
  : Undeferred<Row, Key>;

/** The keys of those columns that are deferred attributes. */
export type DeferredKeys<C extends readonly unknown[]> = C[number] extends
  infer One ? One extends DeferredKey<infer Key> ? Key & string : never : never;

/** The keys of a class's deferred attributes of a group. */
export type KeysOfGroup<C, Group extends string> = {
  [K in keyof ShapeOf<InstanceOf<C>>]: ShapeOf<InstanceOf<C>>[K] extends
    Deferred<Group> ? K : never;
}[keyof ShapeOf<InstanceOf<C>>];

/** Which columns to select, of those that are and those that were named. */
type Choose = (
  selected: readonly Column<unknown>[],
  named: readonly Column<unknown>[],
) => readonly Column<unknown>[];

/** The columns of a class that an option names for a source of its rows. */
type Named = (mapper: Mapper, from: FromClause) => readonly Column<unknown>[];

/** Selects columns along, though they are deferred. */
export function undefer<C extends readonly Column<unknown>[]>(
  ...columns: C
): ColumnOption<Undefers<DeferredKeys<C>>> {
  return choosing(naming(columns), (selected, named) => [
    ...selected,
    ...named,
  ]);
}

/** Selects a group of deferred columns along. */
export function undeferGroup<C extends AnyClass, const Group extends string>(
  cls: C,
  group: Group,
): ColumnOption<Undefers<KeysOfGroup<C, Group>>> {
  const owner = mapperOf(cls);
  return choosing(
    (mapper) => mapper === owner ? deferredOf(mapper, group) : [],
    (selected, named) => [...selected, ...named],
  );
}

/** Leaves columns out of a query; their objects do not have them. */
export function defer(...columns: Column<unknown>[]): ColumnOption {
  return choosing(
    naming(columns),
    (selected, named) =>
      selected.filter(({ key }) => !named.some((one) => one.key === key)),
  );
}

/** Leaves every column out of a query but these, and the primary key. */
export function loadOnly(...columns: Column<unknown>[]): ColumnOption {
  return choosing(naming(columns), (_, named) => named);
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
 * @returns The same, as what they are now.
 */
export function loadColumns<
  T extends object,
  C extends readonly Column<unknown>[],
>(
  session: Session,
  objects: readonly T[],
  ...columns: C
): Promise<readonly Undeferred<T, DeferredKeys<C>>[]>;
/** The same for one object. */
export function loadColumns<
  T extends object,
  C extends readonly Column<unknown>[],
>(
  session: Session,
  object: T,
  ...columns: C
): Promise<Undeferred<T, DeferredKeys<C>>>;
export async function loadColumns(
  session: Session,
  objects: object | readonly object[],
  ...columns: Column<unknown>[]
): Promise<object> {
  const states = [objects].flat().map(stateOf);
  const [first] = states;
  if (!first) return objects;
  const { mapper } = first;
  const wanted = new Set<Column<unknown>>();
  for (const column of columns) {
    wanted.add(column);
    const group = column.spec.info?.deferred;
    if (typeof group === "string") {
      for (const one of deferredOf(mapper, group)) wanted.add(one);
    }
  }
  const byReader = Map.groupBy(states, (state) => readerOf(session, state));
  const queries = mapper.tables.flatMap((one, i) => {
    const isHere = ({ table }: Column<unknown>) => table === one.table;
    const own = [...wanted].filter(isHere);
    if (own.length === 0) return [];
    // What a subclass adds comes as one.
    const rest = mapper.columns.filter((column) =>
      i > 0 && isHere(column) && !column.spec.info?.deferred
    );
    const query = columnsQuery(mapper, one, [...new Set([...own, ...rest])]);
    return [[query, one.key] as const];
  });
  const reads = [...byReader].flatMap(([reader, here]) => {
    const keys = here.map((state) => state.primaryKey);
    return queries.map(([query, key]) =>
      reader.read(query.where(among(key, keys)))
    );
  });
  await session.run(reads);
  return objects;
}

function deferredOf(mapper: Mapper, group: string): Column<unknown>[] {
  return mapper.allColumns.filter(({ spec }) => spec.info?.deferred === group);
}

/** Columns by which a class is told: its own, or those of an alias of it. */
function naming(columns: readonly Column<unknown>[]): Named {
  return (mapper, from) =>
    mapper.allColumns.filter((one) =>
      columns.some((column) =>
        column === one || column.table === from && column.key === one.key
      )
    );
}

function choosing<F extends RowFunction>(
  naming: Named,
  choose: Choose,
): ColumnOption<F> {
  leavesOut();
  return {
    rewrite(statement): Statement<unknown> {
      if (!(statement instanceof Select)) return statement;
      const items = statement.shape.items.map((item): RowItem => {
        const { source } = item;
        const mapper = source?.owner as Mapper | undefined;
        if (!source || !mapper) return item;
        const named = naming(mapper, source.from);
        if (named.length === 0) return item;
        const chosen = new Set([
          ...mapper.primaryKey,
          ...mapper.polymorphism?.columns ?? [],
          ...choose(source.columns, named),
        ]);
        // Another option may have put something in a column's place.
        const columns = mapper.allColumns.flatMap((column) => {
          const here = source.columns.find(({ key }) => key === column.key) ??
            columnAt(mapper, column, source.from);
          return chosen.has(column) || chosen.has(here) ? [here] : [];
        });
        return {
          ...item,
          source: { ...source, columns },
          expressions: columns,
        };
      });
      return copyOf(statement, { shape: { ...statement.shape, items } });
    },
  };
}
