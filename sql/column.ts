import { deepEqual } from "./deep_equal.ts";
import { type Expression, Phrase } from "./expression.ts";
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  ENUM,
  INSTANT,
  INTEGER,
  INTERVAL,
  JSON_DOCUMENT,
  NUMERIC,
  REAL,
  TEXT,
  TIME,
  TIMESTAMP,
  UUID,
  VARCHAR,
} from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** What the database does to a row whose referenced row goes away or changes. */
export type ReferentialAction =
  | "cascade"
  | "restrict"
  | "set null"
  | "set default"
  | "no action";

/** How a foreign key behaves. */
export interface ForeignKeyOptions {
  /** The constraint's name. @default from the naming convention, else none */
  readonly name?: string;
  /** On deletion of the referenced row. @default {"no action"} */
  readonly onDelete?: ReferentialAction;
  /** On change of the referenced key. @default {"no action"} */
  readonly onUpdate?: ReferentialAction;
  /** Whether the check may wait for the end of the transaction. @default {false} */
  readonly deferrable?: boolean;
  /** Whether it waits without being asked. @default {false} */
  readonly initiallyDeferred?: boolean;
}

/** A foreign key written on one column: `"users.id"` and how it behaves. */
export interface Reference extends ForeignKeyOptions {
  /** `table.column`, or `schema.table.column`. */
  readonly target: string;
}

/** Everything a column says about itself, as plain data. */
export interface ColumnSpec {
  /** The type of its values. */
  readonly type: SqlType;
  /** The name in the database, where it differs from the attribute's key. */
  readonly name?: string;
  /** Whether NULL is allowed. */
  readonly nullable: boolean;
  /** Whether it is part of the primary key. */
  readonly primaryKey: boolean;
  /** Whether the database may number it. @default `true` for a lone integer primary key */
  readonly autoincrement?: boolean;
  /** Value, or function that makes one, for rows inserted without it. */
  readonly default?: unknown;
  /** Value, or function that makes one, for rows updated without it. */
  readonly onUpdate?: unknown;
  /** What the database fills in: an expression, or text of SQL made by `text()`. */
  readonly serverDefault?: Expression<unknown> | string | number | boolean;
  /** The expression of a generated column. */
  readonly computed?: {
    readonly sql: Expression<unknown>;
    readonly stored: boolean;
  };
  /** An identity column of the SQL standard. */
  readonly identity?: "always" | "by default";
  /** Whether values are unique. */
  readonly unique?: boolean;
  /** Whether it has an index of its own. */
  readonly index?: boolean;
  /** Its foreign key. */
  readonly references?: Reference;
  /** A comment kept by the database, where it keeps any. */
  readonly comment?: string;
  /** The name it had before, for migrations. */
  readonly renamedFrom?: string;
  /** Room for other layers. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/**
 * Whether a new row may leave a column out: `true`, `false`, or
 * `"reference"` where an object may stand for the key.
 */
export type Optionality = boolean | "reference";

/**
 * Describes a column step by step. Every method returns a new description.
 *
 * @typeParam T The value as the program sees it.
 * @typeParam Optional Whether a new row may leave it out.
 */
export class ColumnBuilder<T, Optional extends Optionality = false> {
  /** Never present: carries the value's type. */
  declare readonly "~value": T;
  /** Never present: carries whether a new row may leave it out. */
  declare readonly "~optional": Optional;
  /** What has been said so far. */
  readonly spec: ColumnSpec;

  /** Starts a description; use `integer()`, `text()`, … instead. */
  constructor(spec: ColumnSpec) {
    this.spec = spec;
  }

  /** Returns the same column with some facts changed. */
  with<U = T, O extends Optionality = Optional>(
    patch: Partial<ColumnSpec>,
  ): ColumnBuilder<U, O> {
    return new ColumnBuilder({ ...this.spec, ...patch });
  }

  /** Gives it a name in the database other than its key. */
  named(name: string): ColumnBuilder<T, Optional> {
    return this.with({ name });
  }

  /** Makes it the primary key, or a part of it. */
  primaryKey(
    options?: { readonly autoincrement?: boolean },
  ): ColumnBuilder<T, true> {
    return this.with({ primaryKey: true, ...options });
  }

  /** Lets it be NULL. */
  nullable(): ColumnBuilder<T | null, true> {
    return this.with({ nullable: true });
  }

  /** Fills it in the program, from a value or from a function called for each row. */
  default(value: T | (() => T)): ColumnBuilder<T, true> {
    return this.with({ default: value });
  }

  /** Fills it in the database. */
  serverDefault(
    value: Expression<unknown> | string | number | boolean,
  ): ColumnBuilder<T, true> {
    return this.with({ serverDefault: value });
  }

  /** Sets it in the program whenever its row is updated without it. */
  onUpdate(value: T | (() => T)): ColumnBuilder<T, Optional> {
    return this.with({ onUpdate: value });
  }

  /** Makes the database compute it. */
  computed(
    sql: Expression<unknown>,
    options?: { readonly stored?: boolean },
  ): ColumnBuilder<T, true> {
    return this.with({ computed: { sql, stored: false, ...options } });
  }

  /** Makes it an identity column of the SQL standard. */
  identity(
    kind: "always" | "by default" = "by default",
  ): ColumnBuilder<T, true> {
    return this.with({ identity: kind });
  }

  /** Refuses equal values. */
  unique(): ColumnBuilder<T, Optional> {
    return this.with({ unique: true });
  }

  /** Gives it an index. */
  index(): ColumnBuilder<T, Optional> {
    return this.with({ index: true });
  }

  /** Points it at a column of another table, or of its own: `"users.id"`. */
  references(
    target: string,
    options?: ForeignKeyOptions,
  ): ColumnBuilder<T, Optional extends true ? true : "reference"> {
    return this.with({ references: { target, ...options } });
  }

  /** Keeps a remark in the database, where it keeps any. */
  comment(comment: string): ColumnBuilder<T, Optional> {
    return this.with({ comment });
  }

  /** Says which name it had before, so that a migration renames it. */
  renamedFrom(name: string): ColumnBuilder<T, Optional> {
    return this.with({ renamedFrom: name });
  }
}

/** The value that a column description stands for. */
export type ColumnValue<B> = B extends ColumnBuilder<infer T, Optionality> ? T
  : never;

/** A column of any type, the user's own too: `column(money)`. */
export function column<T>(type: SqlType<T>): ColumnBuilder<T> {
  return new ColumnBuilder({ type, nullable: false, primaryKey: false });
}

/** A whole number that JavaScript holds exactly (up to 2^53). */
export function integer(): ColumnBuilder<number> {
  return column(INTEGER);
}

/** A 64-bit whole number as a `bigint`, exact also where the driver's is not. */
export function bigint(): ColumnBuilder<bigint> {
  return column(BIGINT);
}

/** Text, of at most `length` characters where one is given. */
export function text(length?: number): ColumnBuilder<string>;
/**
 * SQL as it is written, inside a statement or schema: the one way for raw text
 * into either. Where values are to be bound in it, use {@linkcode fragment}.
 */
export function text<T = unknown>(
  sql: string,
  type?: SqlType<T>,
): Expression<T>;
export function text(
  first?: number | string,
  type?: SqlType,
): ColumnBuilder<string> | Expression<unknown> {
  // Raw text may hold anything, so it gets brackets wherever it is an operand.
  if (typeof first === "string") return new Phrase("text", [first], type, 0);
  return first === undefined
    ? column(TEXT)
    : column({ ...VARCHAR, args: [first] });
}

/** Text of at most `length` characters. */
export function varchar(length: number): ColumnBuilder<string> {
  return text(length);
}

/** `true` or `false`. */
export function boolean(): ColumnBuilder<boolean> {
  return column(BOOLEAN);
}

/** A double-precision number. */
export function real(): ColumnBuilder<number> {
  return column(REAL);
}

/**
 * An exact decimal, as a string: `"10.50"`. Databases without exact decimals
 * keep it as text, exact too, but compare and reckon with it as a double.
 */
export function numeric(
  precision?: number,
  scale?: number,
): ColumnBuilder<string> {
  const args = [precision, scale].filter((n) => n !== undefined);
  return column({ ...NUMERIC, args });
}

/** A day without a time, as `"2026-11-23"`. */
export function date(): ColumnBuilder<string> {
  return column(DATE);
}

/** A time of day, as `"23:59:59.5"`. */
export function time(): ColumnBuilder<string> {
  return column(TIME);
}

/** An instant, as a `Date`; kept in UTC, to the millisecond. */
export function timestamp(): ColumnBuilder<Date> {
  return column<Date>({ ...TIMESTAMP, equals: deepEqual });
}

/** An instant as ISO 8601 text in UTC, to the microsecond: `"2026-11-23T09:30:00.000001Z"`. */
export function instant(): ColumnBuilder<string> {
  return column(INSTANT);
}

/** A length of time in Postgres' own notation, as `"1 day 02:00:00"`. */
export function interval(): ColumnBuilder<string> {
  return column(INTERVAL);
}

/** A JSON document: Fowler's Serialized LOB. */
export function json<T = unknown>(): ColumnBuilder<T> {
  return column<T>({ ...JSON_DOCUMENT as SqlType<T>, equals: deepEqual });
}

/** Bytes. */
export function blob(): ColumnBuilder<Uint8Array> {
  return column<Uint8Array>({ ...BLOB, equals: deepEqual });
}

/** A UUID, as text. */
export function uuid(): ColumnBuilder<string> {
  return column(UUID);
}

/** One of a few words; the database refuses others. */
export function enumeration<const V extends readonly [string, ...string[]]>(
  name: string,
  values: V,
): ColumnBuilder<V[number]> {
  return column({ ...(ENUM as SqlType<V[number]>), args: [name, ...values] });
}

/** A list of values of another column's type (Postgres). */
export function array<T>(item: ColumnBuilder<T>): ColumnBuilder<T[]> {
  return column<T[]>({
    ...{ name: "array", args: [], item: item.spec.type },
    equals: deepEqual,
  });
}
