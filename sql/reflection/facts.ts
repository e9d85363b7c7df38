import type { ReferentialAction } from "../column.ts";
import type { SqlType } from "../types.ts";

/** A table as a database tells of it: plain data. */
export interface TableFacts {
  /** Its name. */
  readonly name: string;
  /** Its columns, in order. */
  readonly columns: readonly ColumnFacts[];
  /** Its primary key; empty where it has none. */
  readonly primaryKey: KeyFacts;
  /** Its unique constraints. */
  readonly uniques: readonly KeyFacts[];
  /** Its checks. */
  readonly checks: readonly CheckFacts[];
  /** Its exclusion constraints, where there are such. */
  readonly excludes?: readonly ExcludeFacts[];
  /** Its foreign keys. */
  readonly foreignKeys: readonly ForeignKeyFacts[];
  /** Its indexes, without those of constraints. */
  readonly indexes: readonly IndexFacts[];
  /** The remark on it. */
  readonly comment?: string | undefined;
  /** Whether it is `STRICT`. */
  readonly strict?: boolean;
  /** Whether it is `WITHOUT ROWID`. */
  readonly withoutRowid?: boolean;
}

/** A column as a database tells of it. */
export interface ColumnFacts {
  /** Its name. */
  readonly name: string;
  /** The type in the database's own words. */
  readonly declaredType: string;
  /** The type it is read as. */
  readonly type: SqlType;
  /** Whether NULL is allowed. */
  readonly nullable: boolean;
  /** The text behind DEFAULT. */
  readonly default?: string | undefined;
  /** The expression of a generated column. */
  readonly computed?: { readonly sql: string; readonly stored: boolean };
  /** Whether the database numbers it, and how; absent where it does not. */
  readonly numbered?: "implicitly" | "autoincrement" | "by default" | "always";
  /** The remark on it. */
  readonly comment?: string | undefined;
}

/** A constraint over columns. */
export interface KeyFacts {
  /** Its name, where it was given one. */
  readonly name?: string | undefined;
  /** The names of its columns. */
  readonly columns: readonly string[];
  /** The columns that its index keeps beside them. */
  readonly include?: readonly string[];
  /** Whether NULL is a value like others. */
  readonly nullsNotDistinct?: boolean;
  /** Whether it may wait. */
  readonly deferrable?: boolean;
  /** Whether it waits. */
  readonly initiallyDeferred?: boolean;
}

/** A condition that every row meets. */
export interface CheckFacts {
  /** Its name, where it was given one. */
  readonly name?: string | undefined;
  /** The condition. */
  readonly sql: string;
}

/** An exclusion constraint. */
export interface ExcludeFacts
  extends Pick<KeyFacts, "name" | "deferrable" | "initiallyDeferred"> {
  /** What it compares, and with which operators. */
  readonly ways: readonly {
    readonly column?: string | undefined;
    readonly sql?: string | undefined;
    readonly operator: string;
  }[];
  /** The kind of its index. */
  readonly using: string;
  /** Which rows it is about. */
  readonly where?: string | undefined;
}

/** A foreign key. */
export interface ForeignKeyFacts extends KeyFacts {
  /** The referenced table, with its schema where that is another one. */
  readonly table: string;
  /** The referenced columns; empty for the primary key. */
  readonly targets: readonly string[];
  /** On deletion. */
  readonly onDelete?: ReferentialAction | undefined;
  /** On change. */
  readonly onUpdate?: ReferentialAction | undefined;
}

/** An index. */
export interface IndexFacts {
  /** Its name. */
  readonly name: string;
  /** Whether equal entries are refused. */
  readonly unique: boolean;
  /** What it is over: columns, or expressions, each perhaps with a direction. */
  readonly parts: readonly {
    readonly column?: string | undefined;
    readonly sql?: string | undefined;
    readonly suffix?: string | undefined;
  }[];
  /** Which rows are in it. */
  readonly where?: string | undefined;
  /** The kind of index, where it is no B-tree. */
  readonly using?: string;
  /** The columns that it keeps beside what it is over. */
  readonly include?: readonly string[];
  /** Whether NULL is a value like others. */
  readonly nullsNotDistinct?: boolean;
}

/** A view as a database tells of it. */
export interface ViewFacts {
  /** Its name. */
  readonly name: string;
  /** The query behind it. */
  readonly sql: string;
}

/** A schema as a database tells of it. */
export interface SchemaFacts {
  /** Its tables, by name. */
  readonly tables: readonly TableFacts[];
  /** Its views, by name. */
  readonly views: readonly ViewFacts[];
}

/** Takes one pair of brackets off that goes around all of a text. */
export function unwrap(sql: string): string {
  const text = sql.trim();
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote) {
      if (char === quote) quote = "";
    } else if (char === "'" || char === '"') quote = char;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0 && i < text.length - 1) return text;
  }
  return unwrap(text.slice(1, -1));
}

/** `ON DELETE CASCADE` and its kin; the default is no action and left out. */
export function action(
  words: string | undefined,
): ReferentialAction | undefined {
  const known = words?.toLowerCase();
  return known === "cascade" || known === "restrict" || known === "set null" ||
      known === "set default"
    ? known
    : undefined;
}
