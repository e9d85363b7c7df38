import type { Dialect, PackedColumns } from "./dialect.ts";
import { CompileError } from "./errors.ts";
import { Bind, type Expression, Labeled } from "./expression.ts";
import { Column, type FromClause } from "./from.ts";
import { type Fingerprint, fingerprint } from "./_fingerprint.ts";
import type { Node, Part } from "./node.ts";
import type { Table } from "./schema.ts";
import {
  resultReader,
  rootType,
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
  /** For each placeholder, what it takes. */
  readonly slots: readonly Slot[];
  /** The columns of its result; empty where it gives none. */
  readonly columns: readonly ResultColumn[];
  /** A driver's row to a row of these columns, where it is sent in fewer. */
  readonly unpack?: PackedColumns["unpack"];
}

/** What a placeholder takes: one of the statement's parameters, or several as one. */
export type Slot = number | {
  /** Which parameters. */
  readonly of: readonly Slot[];
  /** Makes one value of theirs. */
  join(values: readonly SqlValue[]): SqlValue;
};

/** What goes to a driver: a text and its bound values. */
export interface BoundStatement {
  /** The text, with placeholders. */
  readonly sql: string;
  /** One value for each placeholder. */
  readonly params: readonly SqlValue[];
  /** What else belongs to the statement, where it was too large for one text. */
  readonly rest?: readonly BoundStatement[];
}

/** All texts of a statement. */
export function textsOf(statement: BoundStatement): readonly BoundStatement[] {
  return [statement, ...statement.rest ?? []];
}

/** A compiled statement together with the values of one execution. */
export interface PreparedStatement extends BoundStatement {
  /** The columns of its result. */
  readonly columns: readonly ResultColumn[];
  /** A driver's row to a row of these columns, where it is sent in fewer. */
  readonly unpack?: PackedColumns["unpack"];
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
  /** The names of what stands for something else, as far as they were needed. */
  readonly aliases: Map<FromClause, string> = new Map();
  #sql = "";
  readonly #slots: Slot[] = [];
  readonly #binds: readonly Bind[];
  #nextBind = 0;
  readonly #columns: ResultColumn[] = [];
  #unpack: PackedColumns["unpack"] | undefined;
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
    this.#binds = binds;
  }

  /** Adds words as they are, nodes, and lists of nodes with commas between them. */
  write(...parts: readonly Part[]): void {
    for (const part of parts) {
      if (typeof part === "string") this.#sql += part;
      else if ("kind" in part) this.visit(part);
      else this.each(part, ", ", (node) => this.visit(node));
    }
  }

  /** Adds a quoted identifier. */
  name(identifier: string): void {
    this.#sql += quoteName(identifier, this.dialect);
  }

  /** Adds the quoted names of columns, in brackets. */
  names(columns: readonly Column<unknown>[]): void {
    this.write("(");
    this.each(columns, ", ", (column) => this.name(column.name));
    this.write(")");
  }

  /** Writes something and puts what it wrote into other words. */
  wrapped(wrap: (sql: string) => string, write: () => void): void {
    const before = this.#sql;
    this.#sql = "";
    write();
    this.#sql = before + wrap(this.#sql);
  }

  /** Writes a node: the dialect's way where it has one, else the node's own. */
  visit(node: Node): void {
    // Kinds are the library's own words, so none is a name of Object's.
    const override = this.dialect.overrides[node.kind];
    if (override) override(node as never, this);
    else node.compile(this);
  }

  /**
   * Writes an operand, in brackets if it binds looser than its place. `exact`
   * says that no column beside it tells what type a parameter has.
   */
  operand(node: Node, precedence: number, exact = false): void {
    if (node.precedence < precedence) this.write("(", node, ")");
    else if (exact && node instanceof Bind) this.bind(node, true);
    else this.visit(node);
  }

  /** Writes items with a separator between them. */
  each<T>(
    items: readonly T[],
    separator: string,
    write: (item: T) => void,
  ): void {
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.#sql += separator;
      write(items[i] as T);
    }
  }

  /** Writes a placeholder and notes which parameter it takes. */
  bind(bind: Bind, exact = false): void {
    const { dialect } = this;
    if (this.inline) {
      return this.write(
        dialect.literal(toDriver(bind.value, bind.type, dialect)),
      );
    }
    const { type } = bind;
    const root = type && rootType(type);
    const mark = this.#mark(this.#slotOf(bind), root);
    if (!type || !root) return this.write(mark);
    const typed = this.typed(mark, type);
    const rules = dialect.rulesFor(root);
    this.write(exact && rules.exact ? rules.exact(typed) : typed);
  }

  /** A placeholder, or what stands for one, with its type said where it must be. */
  typed(mark: string, type: SqlType): string {
    const { dialect } = this;
    const root = rootType(type);
    return dialect.rulesFor(root).placeholder?.(mark, root, dialect) ?? mark;
  }

  /** What stands for a value inside a JSON document, with its type said. */
  cell(mark: string, type: SqlType | undefined): string {
    if (!type) return mark;
    const { fromJson } = this.dialect.rulesFor(rootType(type));
    return fromJson ? fromJson(mark) : this.typed(mark, type);
  }

  /** Writes one placeholder for several parameters. */
  bindJoined(
    binds: readonly Bind[],
    join: (values: readonly SqlValue[]) => SqlValue,
  ): void {
    const of = binds.map((bind) => this.#slotOf(bind));
    this.write(this.#mark({ of, join }, undefined));
  }

  #slotOf(bind: Bind): number {
    // Most often they are written in the order in which they were found.
    const slot = this.#binds[this.#nextBind] === bind
      ? this.#nextBind
      : this.#binds.indexOf(bind);
    if (slot >= 0) {
      this.#nextBind = slot + 1;
      return slot;
    }
    throw new CompileError(
      "Cannot place a parameter that is no part of the statement",
    );
  }

  #mark(slot: Slot, type: SqlType | undefined): string {
    const { dialect } = this;
    // Databases compare GROUP BY with the result list by parameter number.
    const known = dialect.features.repeatsPlaceholders
      ? this.#slots.indexOf(slot)
      : -1;
    const n = known >= 0 ? known + 1 : this.#slots.push(slot);
    return dialect.placeholder(n, slot, type);
  }

  /** Writes a table's name, with its schema. */
  tableName(table: Table): void {
    this.write(tableName(table, this.dialect));
  }

  /** Writes a result list: unique labels, and values that no driver spoils. */
  results(
    expressions: readonly Expression<unknown>[],
    outermost: boolean,
  ): void {
    const { dialect } = this;
    const labels = labelsOf(expressions, outermost);
    const before = this.#sql;
    const written = expressions.map((expression, i) => {
      const { type } = expression;
      this.#sql = "";
      const inner = expression instanceof Labeled
        ? expression.inner
        : expression;
      // A column that is only read stands as it is kept.
      if (inner instanceof Column && inner.kind === "column") {
        inner.write(this);
      } else this.operand(inner, 0, true);
      const rules = outermost && type && dialect.rulesFor(rootType(type));
      const sql = rules && rules.select ? rules.select(this.#sql) : this.#sql;
      return { sql, label: labels[i] ?? "", type };
    });
    this.#sql = before;
    const packed = outermost ? dialect.packColumns?.(written) : undefined;
    this.#unpack = packed?.unpack;
    this.each(packed?.columns ?? written, ", ", ({ sql, label }) => {
      this.write(`${sql} AS `);
      this.name(label);
    });
    if (outermost) {
      for (const { label, type } of written) this.column(label, type);
    }
  }

  /** Notes a column of the result, and how its values are read. */
  column(label: string, type: SqlType | undefined): void {
    this.#columns.push({ label, read: resultReader(type, this.dialect) });
  }

  /** What the statements around this place take rows from. */
  get enclosing(): ReadonlySet<FromClause> {
    return this.#enclosing;
  }

  /**
   * Writes a statement within its scope, which may be apart from what stands
   * around it; tells whether it is the outermost.
   */
  nested(
    froms: readonly FromClause[],
    write: (outermost: boolean) => void,
    isApart = false,
  ): void {
    const enclosing = this.#enclosing;
    this.#enclosing = new Set([
      ...isApart ? [] : enclosing,
      ...froms.flatMap((from) => from.members),
    ]);
    write(this.#depth++ === 0);
    this.#depth--;
    this.#enclosing = enclosing;
  }

  /** Writes a clause with what it holds, if that is anything. */
  clause(words: string, items: Node | readonly Node[] | undefined): void {
    const all = [items ?? []].flat();
    if (all.length > 0) this.write(words, all);
  }

  /** The statement as compiled so far. */
  finish(): CompiledStatement {
    return {
      sql: this.#sql,
      slots: this.#slots,
      columns: this.#columns,
      ...(this.#unpack && { unpack: this.#unpack }),
    };
  }
}

/** Labels for a result list: each once, since answers may come as objects. */
export function labelsOf(
  expressions: readonly Expression<unknown>[],
  outermost: boolean,
): string[] {
  const labels = new Set<string>();
  for (const expression of expressions) {
    const wanted = outermost && expression instanceof Column
      ? `${expression.table.labelPrefix}_${expression.name}`
      : expression.resultName;
    // Where answers come as objects, names that are numbers would go first.
    const own = outermost && /^\d+$/.test(wanted) ? `_${wanted}` : wanted;
    let label = own;
    for (let n = 1; labels.has(label); n++) label = `${own}_${n}`;
    labels.add(label);
  }
  return [...labels];
}

/** Quotes an identifier. */
export function quoteName(identifier: string, dialect: Dialect): string {
  const { quote } = dialect;
  if (identifier === "" || identifier.includes("\0")) {
    throw new CompileError(
      "Cannot quote an identifier that is empty or holds a NUL character",
    );
  }
  const plain = identifier.includes(quote)
    ? identifier.replaceAll(quote, quote + quote)
    : identifier;
  return quote + plain + quote;
}

/** A table's quoted name, with its schema. */
export function tableName(
  { name, schema: own }: Pick<Table, "name" | "schema">,
  dialect: Dialect,
): string {
  const { translateSchema } = dialect;
  const schema = translateSchema ? translateSchema(own) : own;
  const quoted = quoteName(name, dialect);
  return schema ? `${quoteName(schema, dialect)}.${quoted}` : quoted;
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
  const { binds, definitions } = print;
  let compiled = texts.get(print.key);
  if (!compiled) {
    const compile = (dialect: Dialect): CompiledStatement => {
      const compiler = new Compiler(dialect, binds);
      definitions[0]?.introduce(definitions, compiler);
      compiler.visit(statement);
      return compiler.finish();
    };
    compiled = compile(dialect);
    if (dialect.refit) compiled = dialect.refit(compiled, compile);
    if (texts.size >= CACHE_SIZE) {
      for (const oldest of texts.keys()) {
        texts.delete(oldest);
        break;
      }
    }
    texts.set(print.key, compiled);
  }
  const value = (slot: Slot): SqlValue => {
    if (typeof slot !== "number") return slot.join(slot.of.map(value));
    const bind = binds[slot] as Bind;
    return toDriver(bind.value, bind.type, dialect);
  };
  const { sql, columns, unpack } = compiled;
  const whole = {
    sql,
    columns,
    params: compiled.slots.map(value),
    ...(unpack && { unpack }),
  };
  return dialect.fit ? dialect.fit(statement, whole) : whole;
}
