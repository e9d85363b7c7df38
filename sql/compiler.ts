import type { Dialect } from "./dialect.ts";
import { CompileError } from "./errors.ts";
import { type Bind, type Expression, Labeled, Tuple } from "./expression.ts";
import { Column, type Definition, type FromClause } from "./from.ts";
import { type Fingerprint, fingerprint } from "./_fingerprint.ts";
import type { Node } from "./node.ts";
import type { Table } from "./schema.ts";
import {
  resultReader,
  type SqlType,
  type SqlValue,
  toDriver,
} from "./types.ts";

/** One column of a result: its unique label, and how its values are read. */
export interface ResultColumn {
  /** The label in the statement's text, unique within it. */
  readonly label: string;
  /** Driver's value to program value; absent where it is right as it comes. */
  readonly read: ((value: unknown) => unknown) | undefined;
}

/** A statement's text for one dialect, ready for any values of the same shape. */
export interface CompiledStatement {
  /** The text, with placeholders. */
  readonly sql: string;
  /** For each placeholder, which of the statement's parameters it takes. */
  readonly slots: readonly number[];
  /** The columns of its result; empty where it gives none. */
  readonly columns: readonly ResultColumn[];
}

/** What goes to a driver: a text and its bound values. */
export interface BoundStatement {
  /** The text, with placeholders. */
  readonly sql: string;
  /** One value for each placeholder. */
  readonly params: readonly SqlValue[];
}

/** A compiled statement together with the values of one execution. */
export interface PreparedStatement extends BoundStatement {
  /** The columns of its result. */
  readonly columns: readonly ResultColumn[];
}

/**
 * Writes a statement for a dialect: text, placeholders and result labels.
 *
 * Nodes write themselves through it; a dialect's overrides go first. It holds
 * the state of one compilation and is thrown away after it.
 */
export class Compiler {
  /** The dialect that is written. */
  readonly dialect: Dialect;
  /** Whether values stand in the text (DDL and scripts), not beside it. */
  readonly inline: boolean;
  /** Whether columns are written without their table, as in DDL and SET. */
  bare = false;
  #sql = "";
  readonly #slots: number[] = [];
  readonly #index = new Map<Bind, number>();
  readonly #aliases = new Map<FromClause, string>();
  readonly #aliasNames = new Map<string, number>();
  readonly #labels = new Set<string>();
  readonly #columns: ResultColumn[] = [];
  #enclosing: ReadonlySet<FromClause> = new Set();
  #depth = 0;

  /** Starts a compilation. `binds` are the statement's parameters in order. */
  constructor(
    dialect: Dialect,
    binds: readonly Bind[] = [],
    options: { readonly inline?: boolean } = {},
  ) {
    this.dialect = dialect;
    this.inline = options.inline ?? false;
    binds.forEach((bind, i) => this.#index.set(bind, i));
  }

  /** Adds text as it is. */
  write(sql: string): void {
    this.#sql += sql;
  }

  /** Adds a quoted identifier. */
  name(identifier: string): void {
    this.#sql += quoteName(identifier, this.dialect);
  }

  /** Writes a node: the dialect's way where it has one, else the node's own. */
  visit(node: Node): void {
    const { overrides } = this.dialect;
    const { kind } = node;
    const override = Object.hasOwn(overrides, kind)
      ? overrides[kind]
      : undefined;
    if (override) override(node as never, this);
    else node.compile(this);
  }

  /** Writes an operand, in brackets if it binds looser than its place. */
  operand(expression: Expression<unknown>, precedence: number): void {
    if (expression.precedence >= precedence) return this.visit(expression);
    this.write("(");
    this.visit(expression);
    this.write(")");
  }

  /** Writes items with a separator between them. */
  each<T>(
    items: readonly T[],
    separator: string,
    write: (item: T) => void,
  ): void {
    items.forEach((item, i) => {
      if (i > 0) this.write(separator);
      write(item);
    });
  }

  /** Writes nodes with commas between them. */
  list(nodes: readonly Node[]): void {
    this.each(nodes, ", ", (node) => this.visit(node));
  }

  /** Writes a placeholder and notes which parameter it takes. */
  bind(bind: Bind): void {
    const { dialect } = this;
    if (this.inline) {
      return this.write(
        dialect.literal(toDriver(bind.value, bind.type, dialect)),
      );
    }
    const slot = this.#index.get(bind);
    if (slot === undefined) {
      throw new CompileError(
        "Cannot place a parameter that is not part of the statement; build it from the statement's own values",
      );
    }
    this.#slots.push(slot);
    const mark = dialect.placeholder(this.#slots.length);
    this.write(bind.type ? this.typed(mark, bind.type) : mark);
  }

  /** A placeholder, or what stands for one, with its type said where it must be. */
  typed(mark: string, type: SqlType): string {
    const root = rootType(type);
    return this.dialect.rulesFor(root).placeholder?.(mark, root) ?? mark;
  }

  /** Writes what stands for the value of a column that a row leaves out. */
  missingValue(column: Column<unknown>): void {
    this.dialect.missingValue(column, this);
  }

  /** Writes a table's name, with its schema. */
  tableName(table: Table): void {
    if (table.schema) {
      this.name(table.schema);
      this.write(".");
    }
    this.name(table.name);
  }

  /** The name of an alias: the given one, or one numbered within the statement. */
  aliasOf(
    alias: FromClause & { readonly alias?: string | undefined },
    base: string,
  ): string {
    const known = this.#aliases.get(alias);
    if (known !== undefined) return known;
    let name = base;
    if (alias.alias === undefined) {
      const n = (this.#aliasNames.get(base) ?? 0) + 1;
      this.#aliasNames.set(base, n);
      name = `${base}_${n}`;
    }
    this.#aliases.set(alias, name);
    return name;
  }

  /** Writes a result list: unique labels, and values that no driver spoils. */
  results(
    expressions: readonly Expression<unknown>[],
    outermost: boolean,
  ): void {
    this.each(expressions, ", ", (expression) => {
      const label = this.#label(expression, outermost);
      const rules = expression.type &&
        this.dialect.rulesFor(rootType(expression.type));
      const start = this.#sql.length;
      this.visit(expression);
      if (outermost) {
        if (rules?.select) {
          const sql = this.#sql.slice(start);
          this.#sql = this.#sql.slice(0, start) + rules.select(sql);
        }
        this.#columns.push({
          label,
          read: resultReader(expression.type, this.dialect),
        });
      }
      this.write(" AS ");
      this.name(label);
    });
  }

  /** What the statements around this place take rows from. */
  get enclosing(): ReadonlySet<FromClause> {
    return this.#enclosing;
  }

  /** Writes a statement within its scope; tells whether it is the outermost. */
  nested(
    froms: readonly FromClause[],
    write: (outermost: boolean) => void,
  ): void {
    const enclosing = this.#enclosing;
    this.#enclosing = new Set([...enclosing, ...froms]);
    write(this.#depth++ === 0);
    this.#depth--;
    this.#enclosing = enclosing;
  }

  /** Writes a query that cannot see what stands around it. */
  isolated(write: () => void): void {
    const enclosing = this.#enclosing;
    this.#enclosing = new Set();
    this.#depth++;
    write();
    this.#depth--;
    this.#enclosing = enclosing;
  }

  /** Writes LIMIT and OFFSET. */
  limit(
    limit: Expression<unknown> | undefined,
    offset: Expression<unknown> | undefined,
  ): void {
    if (limit) this.clause(" LIMIT ", [limit]);
    else if (offset && this.dialect.features.offsetNeedsLimit) {
      this.write(" LIMIT -1");
    }
    if (offset) this.clause(" OFFSET ", [offset]);
  }

  /** Writes the named queries that a statement uses, before it. */
  definitions(definitions: readonly Definition[]): void {
    if (definitions.length === 0) return;
    this.write("WITH ");
    if (definitions.some((definition) => definition.isRecursive)) {
      this.write("RECURSIVE ");
    }
    this.each(
      definitions,
      ", ",
      (definition) => this.isolated(() => definition.define(this)),
    );
    this.write(" ");
  }

  /** Writes a clause with its items, if it has any. */
  clause(words: string, items: readonly Node[]): void {
    if (items.length === 0) return;
    this.write(words);
    this.list(items);
  }

  /** The statement as compiled so far. */
  finish(): CompiledStatement {
    return { sql: this.#sql, slots: this.#slots, columns: this.#columns };
  }

  #label(expression: Expression<unknown>, outermost: boolean): string {
    const wanted = labelOf(expression, outermost);
    // Inner queries are read by name, so their labels stand as they are.
    if (!outermost) return wanted;
    let label = wanted;
    for (let n = 1; this.#labels.has(label); n++) label = `${wanted}_${n}`;
    this.#labels.add(label);
    return label;
  }
}

/** The label an expression gets in a result list. */
export function labelOf(
  expression: Expression<unknown>,
  outermost: boolean,
): string {
  if (expression instanceof Labeled) return expression.label;
  if (expression instanceof Column) {
    return outermost
      ? `${expression.table.labelPrefix}_${expression.name}`
      : expression.name;
  }
  return expression instanceof Tuple ? "tuple" : "anon";
}

/** A type without what the user put on top of it. */
export function rootType(type: SqlType): SqlType {
  return type.base ? rootType(type.base) : type;
}

/** Quotes an identifier. */
export function quoteName(identifier: string, dialect: Dialect): string {
  const { quote } = dialect;
  if (identifier === "" || identifier.includes("\0")) {
    throw new CompileError(
      "Cannot quote an identifier that is empty or holds a NUL character",
    );
  }
  return quote + identifier.replaceAll(quote, quote + quote) + quote;
}

/** Writes a node with its values in the text, for DDL and scripts. */
export function inlineSql(node: Node, dialect: Dialect): string {
  const compiler = new Compiler(dialect, [], { inline: true });
  compiler.bare = true;
  compiler.visit(node);
  return compiler.finish().sql;
}

/** How many texts are kept for each dialect before the oldest goes. */
const CACHE_SIZE = 500;

// Compiled texts hold structure, never values, so requests may share them.
const cache = new WeakMap<Dialect, Map<string, CompiledStatement>>();
const fingerprints = new WeakMap<Node, Fingerprint>();

/**
 * Compiles a statement, or finds the text of an equal one compiled before:
 * statements of one shape share a text, whatever their values.
 */
export function prepare(statement: Node, dialect: Dialect): PreparedStatement {
  let print = fingerprints.get(statement);
  if (!print) fingerprints.set(statement, print = fingerprint(statement));
  let texts = cache.get(dialect);
  if (!texts) cache.set(dialect, texts = new Map());
  let compiled = texts.get(print.key);
  if (!compiled) {
    const compiler = new Compiler(dialect, print.binds);
    compiler.definitions(print.definitions);
    compiler.visit(statement);
    compiled = compiler.finish();
    if (texts.size >= CACHE_SIZE) {
      for (const oldest of texts.keys()) {
        texts.delete(oldest);
        break;
      }
    }
    texts.set(print.key, compiled);
  }
  const { binds } = print;
  return {
    sql: compiled.sql,
    columns: compiled.columns,
    params: compiled.slots.map((slot) => {
      const bind = binds[slot] as Bind;
      return toDriver(bind.value, bind.type, dialect);
    }),
  };
}
