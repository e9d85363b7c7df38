import type { Dialect, PackedColumns, WrittenColumn } from "./dialect.ts";
import { CompileError } from "./errors.ts";
import { Bind, type Expression, Labeled } from "./expression.ts";
import { Column, type Definition, type FromClause } from "./from.ts";
import type { Node, Part } from "./node.ts";
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

/** A statement's text for one dialect, and what its values go through. */
export interface CompiledStatement {
  /** The text, with placeholders. */
  readonly sql: string;
  /** For each placeholder, what it takes. */
  readonly slots: readonly Slot[];
  /** The columns of its result; empty where it gives none. */
  readonly columns: readonly ResultColumn[];
  /** A driver's row to a row of these columns, where it is sent in fewer. */
  readonly unpack?: PackedColumns["unpack"] | undefined;
}

/** What a placeholder takes: one of the statement's parameters, or several as one. */
export type Slot = Bind | {
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
  readonly unpack?: PackedColumns["unpack"] | undefined;
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
  /** Whether columns are written without their table, as in DDL and SET. */
  bare = false;
  /** The names of what stands for something else, as far as they were needed. */
  readonly aliases: Map<FromClause, string> = new Map();
  /** The named queries that were used, each after those that it uses itself. */
  readonly definitions: Set<Definition> = new Set();
  /** Writes what a query gives within the statement, where that may be too much. */
  packQuery:
    | ((
      written: readonly WrittenColumn[],
      compiler: Compiler,
    ) => PackedColumns["columns"])
    | undefined;
  #sql = "";
  readonly #slots: Slot[] = [];
  readonly #columns: ResultColumn[] = [];
  #unpack: PackedColumns["unpack"] | undefined;
  #enclosing: readonly FromClause[] = [];
  #depth = 0;

  /** Starts a compilation. */
  constructor(dialect: Dialect) {
    this.dialect = dialect;
  }

  /** Adds words as they are, nodes, and lists of nodes with commas between them. */
  write(...parts: readonly Part[]): void {
    this.phrase(parts, 0);
  }

  /** Adds them as {@linkcode operand} does; what is in a list needs no brackets. */
  phrase(parts: readonly Part[], precedence: number, exact?: boolean): void {
    for (const part of parts) {
      if (typeof part === "string") this.#sql += part;
      else if ("length" in part) {
        this.each(part, ", ", (node) => this.operand(node, 0, exact));
      } else this.operand(part, precedence, exact);
    }
  }

  /** Adds a quoted identifier. */
  name(identifier: string): void {
    this.#sql += quoteName(identifier, this.dialect);
  }

  /** What a function writes, instead of writing it. */
  written(write: () => void): string {
    const before = this.#sql;
    this.#sql = "";
    write();
    const sql = this.#sql;
    this.#sql = before;
    return sql;
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
    write: (item: T, index: number) => void,
  ): void {
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.#sql += separator;
      write(items[i] as T, i);
    }
  }

  /** Writes a placeholder and notes which parameter it takes. */
  bind(bind: Bind, exact = false): void {
    const { dialect } = this;
    const { type } = bind;
    const mark = this.typed(
      dialect.placeholder(this.#slots, bind, type),
      type,
    );
    const rule = exact && type && dialect.rulesFor(type).exact;
    this.write(rule ? rule(mark) : mark);
  }

  /** A placeholder, or what stands for one, with its type said where it must be. */
  typed(mark: string, type: SqlType | undefined): string {
    const { dialect } = this;
    const rule = type && dialect.rulesFor(type).placeholder;
    return rule ? rule(mark, type, dialect) : mark;
  }

  /** What stands for a value inside a JSON document, with its type said. */
  cell(mark: string, type: SqlType | undefined): string {
    const rule = type && this.dialect.rulesFor(type).fromJson;
    return rule ? rule(mark) : this.typed(mark, type);
  }

  /** Writes one placeholder for several parameters. */
  bindJoined(
    binds: readonly Bind[],
    join: (values: readonly SqlValue[]) => SqlValue,
  ): void {
    const { dialect } = this;
    this.write(
      dialect.placeholder(this.#slots, { of: binds, join }, undefined),
    );
  }

  /** Writes a result list: unique labels, and values that no driver spoils. */
  results(
    expressions: readonly Expression<unknown>[],
    outermost: boolean,
  ): void {
    const { dialect } = this;
    const labels = labelsOf(expressions, outermost);
    const written = expressions.map((expression, i) => {
      const { type } = expression;
      const inner = expression instanceof Labeled
        ? expression.inner
        : expression;
      const sql = this.written(() => {
        // A column that is only read stands as it is kept.
        if (inner instanceof Column && inner.kind === "column") {
          inner.write(this);
        } else this.operand(inner, 0, true);
      });
      const rule = outermost && type && dialect.rulesFor(type).select;
      return { sql: rule ? rule(sql) : sql, label: labels[i] ?? "", type };
    });
    const packed = outermost ? dialect.packColumns?.(written) : undefined;
    if (packed) this.#unpack = packed.unpack;
    const sent = packed?.columns ?? this.packQuery?.(written, this) ?? written;
    this.each(sent, ", ", ({ sql, label }) => {
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
  get enclosing(): readonly FromClause[] {
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
    this.#enclosing = [
      ...isApart ? [] : enclosing,
      ...froms.flatMap(({ members }) => members),
    ];
    write(this.#depth++ === 0);
    this.#depth--;
    this.#enclosing = enclosing;
  }

  /** Writes a clause with what it holds, if that is anything. */
  clause(words: string, items: Node | readonly Node[] | undefined): void {
    const isEmpty = items === undefined ||
      "length" in items && items.length === 0;
    if (!isEmpty) this.write(words, items);
  }

  /** The statement as compiled so far. */
  finish(): CompiledStatement {
    return {
      sql: this.#sql,
      slots: this.#slots,
      columns: this.#columns,
      unpack: this.#unpack,
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
export function quoteName(identifier: string, { quote }: Dialect): string {
  if (!identifier || identifier.includes("\0")) {
    throw new CompileError(
      "Cannot quote a name that is empty or holds a NUL character",
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
  const schema = dialect.translateSchema?.(own) ?? own;
  const quoted = quoteName(name, dialect);
  return schema ? `${quoteName(schema, dialect)}.${quoted}` : quoted;
}

/** Compiles a statement, unless it was before, and takes its values. */
export function prepare(statement: Node, dialect: Dialect): PreparedStatement {
  let kept = statement["~text"];
  if (kept?.dialect !== dialect) {
    const text = dialect.compile?.(statement) ?? compile(statement, dialect);
    statement["~text"] = kept = { dialect, text };
  }
  const { text } = kept;
  const valueOf = (slot: Slot): SqlValue =>
    slot instanceof Bind
      ? toDriver(slot.value, slot.type, dialect)
      : slot.join(slot.of.map(valueOf));
  const whole = { ...text, params: text.slots.map(valueOf) };
  return dialect.fit?.(statement, whole) ?? whole;
}

/** Compiles a statement as it is. */
export function compile(statement: Node, dialect: Dialect): CompiledStatement {
  const compiler = new Compiler(dialect);
  compiler.visit(statement);
  const [definition] = compiler.definitions;
  return (definition?.introduce(statement, compiler) ?? compiler).finish();
}
