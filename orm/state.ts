import type { Column } from "../sql/mod.ts";
import type { Handle } from "./handles/handle.ts";
import type { LaterLoads, RelationLoader } from "./loading/loader.ts";
import { type Mapper, mapperOfObject } from "./mapper.ts";
import type { Relation } from "./relation.ts";

/** Where an object stands between the program and the database. */
export type ObjectState =
  | "transient"
  | "pending"
  | "persistent"
  | "deleted"
  | "detached";

/** What an object's state asks of the session it is in. */
export interface StateOwner {
  /** Loads relations of its objects. */
  readonly loader: RelationLoader;
  /** Takes in an object that a relation now leads to. */
  cascade(object: object): void;
  /** Lets go of a pending object that lost its owner. */
  orphan(object: object): void;
  /** Lets go of an object. */
  expunge(object: object): void;
  /** Says that something is not as it should be. */
  warn(message: string): void;
}

/** What is known of an object beside its attributes. */
export class InstanceState {
  /** The object. */
  readonly object: Record<string, unknown>;
  /** How its class is mapped. */
  readonly mapper: Mapper;
  /** The session it is in. */
  session: StateOwner | undefined;
  /** Its identity, once it has a row. */
  key: string | undefined;
  /** Which database its row is in, where rows of one key are in several; most have no such field. */
  declare identityToken: string | undefined;
  /** Whether its row is deleted, though the transaction is not over. */
  isDeleted = false;
  /** Whether it lost an owner without whom it is not saved. */
  isOrphan = false;
  /** Whether the next row, or the next `get()`, brings its attributes up to date. */
  isExpired = false;
  /**
   * What the row held when it was last read or written, in the order of the
   * mapper's columns; `undefined` where a column is not loaded.
   */
  committed: unknown[] | undefined;
  /** The keys of attributes that are not here: deferred, or expired. */
  absent: Set<string> | undefined;
  /** Who has it, where that may be one only; most have no such field. */
  declare owners: Map<Relation, Handle> | undefined;
  /** How the query that loaded it has its relations loaded. */
  later: LaterLoads | undefined;
  #handles: Map<string, Handle> | undefined;

  /** Use {@linkcode stateOf}. */
  constructor(object: object, mapper: Mapper) {
    this.object = object as Record<string, unknown>;
    this.mapper = mapper;
  }

  /** The handles of its relations that were touched. */
  get handles(): Map<string, Handle> {
    return this.#handles ??= new Map();
  }

  /** Where the object stands. */
  get status(): ObjectState {
    if (this.key === undefined) return this.session ? "pending" : "transient";
    if (!this.session) return "detached";
    return this.isDeleted ? "deleted" : "persistent";
  }

  /** The values of its primary key as they are in the database, or will be. */
  get primaryKey(): unknown[] {
    return this.stored(this.mapper.primaryKey);
  }

  /** What its row held of a column when it was last read or written. */
  before(column: Column<unknown>): unknown {
    return this.committed?.[this.mapper.columns.indexOf(column)];
  }

  /** Values by which others know its row: the database knows it by the key that it has there. */
  stored(columns: readonly Column<unknown>[]): unknown[] {
    const { primaryKey } = this.mapper;
    return columns.map((column) => {
      const known = primaryKey.includes(column)
        ? this.before(column)
        : undefined;
      return known === undefined ? this.read(column) : known;
    });
  }

  /** The value of a column, or `undefined` where it has none or is not loaded. */
  read(column: Column<unknown>): unknown {
    const key = this.mapper.keyOf(column);
    return this.absent?.has(key) ? undefined : this.object[key];
  }

  /** Sets the value of a column to what the database has; no listener hears it. */
  write(column: Column<unknown>, value: unknown): void {
    this.object[this.mapper.keyOf(column)] = value;
  }

  /** The columns whose value is not what the row holds. */
  changes(): Column<unknown>[] {
    const { committed, mapper } = this;
    if (!committed) return [];
    return mapper.columns.filter((column, i) => {
      // What is not there is not known; what was taken away is NULL.
      if (this.absent?.has(mapper.keyOf(column))) return false;
      return !sameValue(this.read(column) ?? null, committed[i], column);
    });
  }

  /** Remembers the object's values as those of its row. */
  snapshot(): void {
    this.committed = this.mapper.columns.map((column) =>
      copyValue(this.read(column))
    );
  }
}

// An object's state stands on the object in a private field, which nothing
// shows: the object stays plain to print, copy and compare. (A WeakMap of as
// many entries makes the collector work for longer than the rows take.)
class Itself {
  constructor(object: object) {
    return object;
  }
}
class Stated extends Itself {
  readonly #state: InstanceState;
  constructor(object: object, state: InstanceState) {
    super(object);
    this.#state = state;
  }
  static of(object: object): InstanceState | undefined {
    return #state in object ? object.#state : undefined;
  }
}

/** The state of an object, made at first use. */
export function stateOf(object: object): InstanceState {
  return Stated.of(object) ?? adoptState(object, mapperOfObject(object));
}

/** The state of an object made from a row; its mapper is known. */
export function adoptState(object: object, mapper: Mapper): InstanceState {
  const state = new InstanceState(object, mapper);
  new Stated(object, state);
  return state;
}

/** The identity of a row: equal for equal keys, however they are written, in one database. */
export function identityKey(
  mapper: Mapper,
  key: readonly unknown[],
  token?: string,
): string {
  const [only] = key;
  const { fullName } = mapper.root.table;
  const name = token === undefined ? fullName : `${token}\0${fullName}`;
  return key.length === 1
    ? `${name}|${keyText(only)}`
    : `${name}|${JSON.stringify(key.map(keyText))}`;
}

/** A part of a key as text: 1, 1n and "1" are one. */
export function keyText(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

/**
 * A value as the snapshot keeps it, safe from changes in place, unless it is of
 * a class that a copy would lose, or holds what cannot be copied.
 */
export function copyValue(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    try {
      const copy = structuredClone(value);
      // One without a prototype, of a pattern's groups say, is as good as plain.
      if (copy.constructor === (value.constructor ?? Object)) return copy;
    } catch {
      // As it is, then: it may be written already.
    }
  }
  return value;
}

/** Whether two values of a column are the same to the database. */
export function sameValue(
  a: unknown,
  b: unknown,
  column: Column<unknown>,
): boolean {
  if (Object.is(a, b)) return true;
  if (a === null || b === null || a === undefined || b === undefined) {
    return false;
  }
  const { equals } = column.spec.type;
  if (equals) return equals(a, b);
  // Most columns of objects bring how these are compared.
  return typeof a === "object" && typeof b === "object" &&
    JSON.stringify(a) === JSON.stringify(b);
}
