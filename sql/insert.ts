import type { Compiler } from "./compiler.ts";
import {
  type Assignment,
  assignments,
  type Changes,
  columnOf,
  Dml,
  filled,
  type KeyOf,
  type Target,
  type Values,
  writeAssignments,
} from "./dml.ts";
import { and, type Expression, Phrase } from "./expression.ts";
import { Name } from "./identifier.ts";
import type { Column } from "./from.ts";
import { Node } from "./node.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { Select, shapeOf } from "./select.ts";
import { copyOf, type RowShape } from "./statement.ts";

/** What stands in the way of an insert, and what is done about it. */
export interface ConflictClause {
  /** The columns, or nothing for any conflict. */
  readonly columns: readonly Column<unknown>[];
  /** Which of a partial index's rows. */
  readonly indexWhere: Expression<unknown> | undefined;
  /** The changes to the row that is there; nothing leaves it. */
  readonly set: readonly Assignment[] | undefined;
  /** Which rows are changed. */
  readonly where: Expression<unknown> | undefined;
}

/** A query that gives the rows of an insert, and the columns they fill. */
export interface InsertSource {
  /** The columns, in the query's order. */
  readonly columns: readonly Column<unknown>[];
  /** The query. */
  readonly query: Node;
}

/** What is done where a row is there already. */
export interface ConflictUpdate<T> {
  /** The unique columns, by key. */
  readonly target: readonly KeyOf<T>[];
  /** The changes; {@linkcode excluded} names the new values. */
  readonly set: Changes<T>;
  /** Which rows are changed. */
  readonly where?: Expression<unknown>;
  /** The condition of a partial unique index. */
  readonly indexWhere?: Expression<unknown>;
}

/** INSERT. Immutable: every method returns a new one. */
export class Insert<T extends Target, Row = never> extends Dml<T, Row> {
  /** The rows. */
  readonly rows: readonly (readonly Assignment[])[];
  /** A query that gives the rows, and the columns they fill. */
  readonly source: InsertSource | undefined;
  /** What is done about rows that are there already. */
  readonly conflict: ConflictClause | undefined;

  /** Use {@linkcode insert}. */
  constructor(
    target: T,
    rows: readonly (readonly Assignment[])[] = [],
    source?: InsertSource,
    conflict?: ConflictClause,
    shape?: RowShape,
  ) {
    super(target, shape);
    this.rows = rows;
    this.source = source;
    this.conflict = conflict;
  }

  /** @ignore */
  override get kind(): string {
    return "insert";
  }

  /** Adds a row, or several; client defaults fill what they leave out. */
  values(rows: Values<T> | readonly Values<T>[]): Insert<T, Row> {
    const added = (Array.isArray(rows) ? rows : [rows]).map((row: object) =>
      assignments(this.target, filled(this.target, row, "default"))
    );
    return copyOf<Insert<T, Row>>(this, { rows: [...this.rows, ...added] });
  }
  /** Inserts what a query gives, its columns in the order of the keys. */
  fromSelect(
    keys: readonly KeyOf<T>[],
    query: Select<unknown>,
  ): Insert<T, Row> {
    return copyOf<Insert<T, Row>>(this, {
      source: { columns: columnsOf(this.target, keys), query },
    });
  }
  /** Leaves rows that are there as they are. */
  onConflictDoNothing(keys: readonly KeyOf<T>[] = []): Insert<T, Row> {
    return copyOf<Insert<T, Row>>(this, {
      conflict: {
        columns: columnsOf(this.target, keys),
        indexWhere: undefined,
        set: undefined,
        where: undefined,
      },
    });
  }
  /** Changes rows that are there; {@linkcode excluded} names the new values. */
  onConflictDoUpdate(options: ConflictUpdate<T>): Insert<T, Row> {
    return copyOf<Insert<T, Row>>(this, {
      conflict: {
        columns: columnsOf(this.target, options.target),
        indexWhere: options.indexWhere,
        set: assignments(this.target, options.set),
        where: options.where,
      },
    });
  }
  /** Gives back columns, or whole rows, of what was written. */
  returning<const A extends readonly (SelectItem | SelectRecord)[]>(
    ...things: A
  ): Insert<T, SelectedRow<A>> {
    return copyOf<Insert<T, Row>>(this, { shape: shapeOf(things) }) as Insert<
      T,
      never
    >;
  }

  /** @ignore */
  override structure(): readonly unknown[] {
    const { source, conflict } = this;
    return this.parts(
      this.rows,
      source && [source.columns, source.query],
      conflict && Object.values(conflict),
    );
  }

  /** @ignore */
  override compile(compiler: Compiler): void {
    const { table, conflict } = this;
    compiler.nested([table], (outermost) => {
      compiler.write("INSERT INTO ");
      compiler.visit(table);
      // A row that leaves a column out gets its DEFAULT, so rows share one list.
      const columns = this.source?.columns ??
        [...new Set(this.rows.flatMap((row) => row.map(([column]) => column)))];
      if (columns.length === 0) compiler.write(" DEFAULT VALUES");
      else {
        compiler.write(" ");
        compiler.names(columns);
        compiler.write(" ");
        compiler.visit(
          this.source
            ? sourceQuery(this.source.query, conflict)
            : new Rows(columns, this.rows),
        );
      }
      if (conflict) writeConflict(conflict, compiler);
      this.writeReturning(compiler, outermost);
    });
  }
}

function columnsOf(
  target: Target,
  keys: readonly string[],
): Column<unknown>[] {
  return keys.map((key) => columnOf(target, key));
}

// SQLite takes the ON of ON CONFLICT for a join's, unless a WHERE stands between.
function sourceQuery(query: Node, conflict: ConflictClause | undefined): Node {
  return conflict && query instanceof Select && !query.state.where
    ? query.where(and())
    : query;
}

/** The rows of an INSERT: a kind of its own, since platforms limit parameters. */
export class Rows extends Node {
  /** The columns that are filled. */
  readonly columns: readonly Column<unknown>[];
  /** The values, a list for each row. */
  readonly rows: readonly (readonly Assignment[])[];
  /** Rows for columns. */
  constructor(
    columns: readonly Column<unknown>[],
    rows: readonly (readonly Assignment[])[],
  ) {
    super();
    this.columns = columns;
    this.rows = rows;
  }
  /** @ignore */
  override get kind(): string {
    return "rows";
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    compiler.write("VALUES ");
    compiler.each(this.rows, ", ", (row) => {
      const values = new Map(row);
      compiler.write("(");
      compiler.each(this.columns, ", ", (column) => {
        const value = values.get(column);
        if (value) compiler.visit(value);
        else compiler.dialect.missingValue(column, compiler);
      });
      compiler.write(")");
    });
  }
}

function writeConflict(conflict: ConflictClause, compiler: Compiler): void {
  const { columns, indexWhere, set, where } = conflict;
  compiler.write(" ON CONFLICT");
  if (columns.length > 0) {
    compiler.write(" ");
    compiler.names(columns);
    if (indexWhere) {
      compiler.bare = true;
      compiler.clause(" WHERE ", [indexWhere]);
      compiler.bare = false;
    }
  }
  if (!set) return compiler.write(" DO NOTHING");
  compiler.write(" DO UPDATE SET ");
  writeAssignments(set, compiler);
  if (where) compiler.clause(" WHERE ", [where]);
}

/** The value that an insert wanted to write, inside `onConflictDoUpdate`. */
export function excluded<T>(column: Column<T>): Expression<T> {
  return new Phrase(
    "excluded",
    ["excluded.", new Name(column.name)],
    column.type,
  );
}

/** Starts an INSERT into a table or mapped class. */
export function insert<T extends Target>(target: T): Insert<T> {
  return new Insert(target);
}
