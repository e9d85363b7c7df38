import { type Column, plainRow, type RowSource } from "../sql/mod.ts";
import { StateError } from "./errors.ts";
import { hasMoved } from "./handles.ts";
import { hooks } from "./hooks.ts";
import type { MakeObject, Mapper } from "./mapper.ts";
import type { Cascade, Relation } from "./relation.ts";
import {
  adoptState,
  copyValue,
  identityKey,
  type InstanceState,
  keyText,
  sameValue,
  stateOf,
  type StateOwner,
} from "./state.ts";
import type { Plan } from "./unit_of_work.ts";
import { KeyRef, type Values } from "./work.ts";

/** Loads relations of objects that ask for them. */
export interface RelationLoader {
  /** Loads a relation of an object. */
  load(state: InstanceState, relation: Relation): Promise<void>;
  /** What a many-to-one leads to, where that can be told without asking. */
  known(state: InstanceState, relation: Relation): object | null | undefined;
}

/** The session of a set. */
interface SetOwner {
  readonly options: { readonly warn?: (message: string) => void };
}

/** How an object was before the open transaction changed it. */
interface Before {
  readonly key: string | undefined;
  readonly committed: unknown[] | undefined;
  readonly values: readonly unknown[];
}

/**
 * The objects of a session: by identity, pending, and to be deleted. It knows
 * the edges between an object's states and sends nothing.
 */
export class ObjectSet implements StateOwner {
  /** Objects by identity. */
  readonly identityMap: Map<string, object> = new Map();
  /** Objects that have no row yet, in the order of addition. */
  readonly pending: Set<InstanceState> = new Set();
  /** Objects whose rows will be deleted. */
  readonly doomed: Set<InstanceState> = new Set();
  /** How objects were before the open transaction, and above it before each savepoint. */
  readonly levels: Map<InstanceState, Before>[] = [new Map()];
  // Pending objects that were let go of with an owner without whom they are not.
  readonly #dropped = new Set<object>();
  readonly #loader: RelationLoader;
  /** The session whose objects they are. */
  readonly owner: SetOwner;

  /** Starts an empty set. */
  constructor(loader: RelationLoader, owner: SetOwner) {
    this.#loader = loader;
    this.owner = owner;
  }

  /** The states of objects that have rows. */
  persistent(): InstanceState[] {
    return [...this.identityMap.values()].map(stateOf);
  }

  /** Takes in an object, and what its relations cascade to. */
  add(object: object): void {
    const state = stateOf(object);
    this.#take(state);
    this.doomed.delete(state);
    follow(state, "save-update", (item) => this.cascade(item));
  }

  /** Marks an object's row to be deleted. */
  delete(object: object): void {
    const state = stateOf(object);
    if (state.key === undefined) {
      throw new StateError(
        `Cannot delete ${state.mapper.name}: it is not persisted; expunge() it if it was only added`,
      );
    }
    if (!state.isDeleted) this.#take(state);
    // What it cascades to is found out when it is written: it may be moved yet.
    this.doomed.add(state);
  }

  /** Lets go of an object. */
  expunge(object: object): void {
    const state = stateOf(object);
    if (state.session !== this) {
      throw new StateError(
        `Cannot expunge ${state.mapper.name}: it is not in this session`,
      );
    }
    this.#release(state);
    // No rollback brings it back.
    for (const level of this.levels) level.delete(state);
    follow(state, "expunge", (item) => {
      if (stateOf(item).session === this) this.expunge(item);
    });
  }

  /** Lets go of every object. */
  clear(): void {
    for (const state of [...this.pending, ...this.persistent()]) {
      this.#release(state);
    }
  }

  cascade(object: object): void {
    if (stateOf(object).session !== this) this.add(object);
  }

  orphan(object: object): void {
    const state = stateOf(object);
    if (state.status !== "pending") return;
    this.#release(state);
    this.#dropped.add(object);
  }

  loadRelation(state: InstanceState, relation: Relation): Promise<void> {
    return this.#loader.load(state, relation);
  }

  known(state: InstanceState, relation: Relation): object | null | undefined {
    return this.#loader.known(state, relation);
  }

  warn(message: string): void {
    this.owner.options.warn?.(message);
  }

  /** Follows every cascade; gives the objects whose rows will be deleted. */
  collect(): Set<InstanceState> {
    const all = (): InstanceState[] => [
      ...this.pending,
      ...this.persistent(),
    ];
    for (const state of all()) {
      follow(state, "save-update", (item) => this.cascade(item));
    }
    for (const { object, isOrphan } of this.pending) {
      if (isOrphan) this.orphan(object);
    }
    const deleted = new Set(this.doomed);
    const adopted = new Map<Relation, Set<object>>();
    const lost: [Relation, object, from: object][] = [];
    for (const state of all()) {
      for (const handle of state.handles.values()) {
        const { relation } = handle;
        if (!relation.cascade.has("delete-orphan")) continue;
        const here = adopted.get(relation) ?? new Set();
        adopted.set(relation, here);
        for (const item of handle.additions) here.add(item);
        for (const item of handle.removals) {
          lost.push([relation, item, state.object]);
        }
      }
    }
    for (const [relation, item, from] of lost) {
      const state = stateOf(item);
      if (
        state.key !== undefined && !adopted.get(relation)?.has(item) &&
        !hasMoved(item, relation, from)
      ) deleted.add(state);
    }
    for (const state of this.persistent()) {
      if (
        state.isOrphan &&
        ![...adopted.values()].some((items) => items.has(state.object))
      ) deleted.add(state);
    }
    // It grows while it is walked.
    for (const state of deleted) {
      follow(state, "delete", (item) => {
        const other = stateOf(item);
        if (other.key === undefined) this.orphan(item);
        else if (!other.isDeleted) deleted.add(other);
      });
    }
    return deleted;
  }

  /** What makes objects of a source's rows: the one that is here, else a new one. */
  hydrate(source: RowSource, overwrite = false): MakeObject {
    const mapper = source.owner as Mapper | undefined;
    if (!mapper) return plainRow(source);
    const make = (one: Mapper, columns: RowSource["columns"]): MakeObject =>
      this.#maker(one, columns, overwrite);
    return mapper.polymorphism?.rows(source, make) ??
      make(mapper, source.columns);
  }

  /** What makes objects of one class of a row's columns. */
  #maker(
    mapper: Mapper,
    given: RowSource["columns"],
    overwrite: boolean,
  ): MakeObject {
    const { identityMap } = this;
    // An alias has columns of its own, of the same descriptions; those of a
    // subquery have only their keys.
    const known = mapper.allColumns;
    const columns = given.map((column) =>
      known.includes(column)
        ? column
        : known.find(({ spec }) => spec === column.spec) ??
          known.find(({ key }) => key === column.key) ?? column
    );
    const { length } = columns;
    const keys = columns.map((column) => mapper.keyOf(column));
    const keyAt = mapper.primaryKey.map((column) => columns.indexOf(column));
    const [only = 0] = keyAt;
    const isSimple = keyAt.length === 1;
    const name = identityKey(mapper, [""]);
    const isWhole = length === known.length &&
      columns.every((column, i) => column === known[i]);
    const { prototype } = mapper.cls;
    return (row, at) => {
      let identity: string;
      if (isSimple) {
        const value = row[at + only];
        if (value === null) return null;
        identity = name + keyText(value);
      } else {
        const key = keyAt.map((i) => row[at + i]);
        if (key.every((value) => value === null)) return null;
        identity = identityKey(mapper, key);
      }
      const here = identityMap.get(identity);
      if (here) {
        fill(stateOf(here), columns, row, at, overwrite);
        return here;
      }
      const object: Record<string, unknown> = Object.create(prototype);
      const state = adoptState(object, mapper);
      state.key = identity;
      state.session = this;
      let isPlain = isWhole && row.length === length;
      for (let i = 0; i < length; i++) {
        const value = row[at + i];
        object[keys[i] as string] = value;
        if (typeof value === "object" && value !== null) isPlain = false;
      }
      // A row of plain values that nobody else has is its own snapshot.
      if (isPlain) state.committed = row as unknown[];
      else if (isWhole) {
        state.committed = row.slice(at, at + length).map(copyValue);
      } else {
        state.snapshot();
        for (const column of known) {
          if (!columns.includes(column)) state.unload(column);
        }
      }
      identityMap.set(identity, object);
      mapper.parts.reconstructor?.(object as never);
      hooks.hear?.("load", object, this);
      hooks.hear?.("loadedAsPersistent", object, this);
      return object;
    };
  }

  /** Every answer is there: objects become what the plan wrote. */
  finish(plan: Plan, generated: ReadonlyMap<InstanceState, Values>): void {
    const { works, saved, gone, settled } = plan;
    for (const { state } of settled.keys()) this.#note(state);
    // Keys are left before they are taken: rows may have changed places.
    for (const state of [...gone, ...saved.keys()]) {
      this.#note(state);
      state.committed = state.committed && [...state.committed];
      this.#leave(state);
    }
    for (const state of gone) {
      state.isDeleted = true;
      this.doomed.delete(state);
      hooks.hear?.("persistentToDeleted", state.object, this);
    }
    for (const { kind, state, values } of works) {
      const found = state && saved.get(state);
      if (!found || kind === "delete") continue;
      const { mapper } = state;
      const made = generated.get(state);
      const { former } = found;
      const committed = state.committed ??= mapper.columns.map((column) =>
        former?.committed?.[former.mapper.columns.indexOf(column)] ?? null
      );
      mapper.columns.forEach((column, i) => {
        const fresh = made?.get(column);
        const value = inRow(fresh === undefined ? values.get(column) : fresh);
        if (value === undefined) return;
        committed[i] = copyValue(value);
        if (fresh !== undefined || !found.own.has(column)) {
          state.write(column, value);
        }
      });
    }
    for (const state of saved.keys()) {
      const isBorn = state.key === undefined;
      const { mapper, object, committed } = state;
      if (isBorn) {
        mapper.columns.forEach((column, i) => {
          const value = committed?.[i];
          if (state.read(column) === undefined) state.write(column, value);
        });
      }
      // What the database computes of a row may be another now.
      for (const column of mapper.allColumns.slice(mapper.columns.length)) {
        if (isBorn || !column.spec.info?.isKept) state.unload(column);
      }
      state.key = identityKey(mapper, state.primaryKey);
      this.identityMap.set(state.key, object);
      this.pending.delete(state);
      if (isBorn) hooks.hear?.("pendingToPersistent", object, this);
    }
    for (const settle of settled.values()) settle();
    const lost = new Set<object>([...gone].map(({ object }) => object));
    // Else what still holds them would cascade to them in the next commit.
    for (const object of this.#dropped) {
      if (stateOf(object).session !== this) lost.add(object);
    }
    this.#dropped.clear();
    if (lost.size === 0) return;
    for (const state of this.persistent()) {
      for (const handle of state.handles.values()) {
        if (handle.lose(lost)) this.#note(state);
      }
    }
  }

  /** The transaction is over, and what it did stays. */
  settle(expire = false): void {
    if (expire) this.persistent().forEach(expireState);
    for (const level of this.levels) {
      for (const state of level.keys()) {
        if (!state.isDeleted) continue;
        state.session = undefined;
        hooks.hear?.("deletedToDetached", state.object, this);
      }
    }
    this.levels.splice(0, Infinity, new Map());
  }

  /** Undoes what was added, marked, changed and written, since a savepoint or at all. */
  rollback(isNested = false): void {
    const touched = new Set(
      this.persistent().filter((state) => !isNested || isModified(state)),
    );
    do {
      const level = this.levels.pop() ?? new Map<InstanceState, Before>();
      for (const state of level.keys()) this.#leave(state);
      for (const [state, before] of level) {
        const wasDeleted = state.isDeleted;
        state.isDeleted = false;
        Object.assign(state, { key: before.key, committed: before.committed });
        if (before.key === undefined) {
          touched.delete(state);
          this.#release(state, "persistentToTransient");
          state.mapper.columns.forEach((column, i) =>
            state.write(column, before.values[i])
          );
          for (const handle of state.handles.values()) handle.unsave();
        } else {
          this.identityMap.set(before.key, state.object);
          touched.add(state);
          if (wasDeleted) {
            hooks.hear?.("deletedToPersistent", state.object, this);
          }
        }
      }
    } while (!isNested && this.levels.length > 0);
    if (!isNested) this.levels.push(new Map());
    for (const state of this.pending) {
      this.#release(state, "pendingToTransient");
    }
    this.doomed.clear();
    this.#dropped.clear();
    for (const state of touched) {
      state.mapper.columns.forEach((column, i) => restore(state, column, i));
      expireState(state);
      state.isOrphan = false;
    }
  }

  #take(state: InstanceState): void {
    const { mapper, key, session, isDeleted } = state;
    const cannot = `Cannot add ${mapper.name}: `;
    if (isDeleted) {
      throw new StateError(
        `${cannot}its row was deleted; makeTransient() it first`,
      );
    }
    if (session === this) return;
    if (session) {
      throw new StateError(
        `${cannot}it is in another session; expunge() it there first`,
      );
    }
    if (key === undefined) this.pending.add(state);
    else {
      const present = this.identityMap.get(key);
      if (present && present !== state.object) {
        throw new StateError(
          `${cannot}another object of the same identity is in the session; merge() it`,
        );
      }
      this.identityMap.set(key, state.object);
    }
    hooks.hear?.("beforeAttach", state.object, this);
    state.session = this;
    hooks.hear?.("afterAttach", state.object, this);
    hooks.hear?.(
      key === undefined ? "transientToPending" : "detachedToPersistent",
      state.object,
      this,
    );
  }

  #release(state: InstanceState, edge?: string): void {
    this.pending.delete(state);
    this.doomed.delete(state);
    this.#leave(state);
    state.session = undefined;
    hooks.hear?.(
      edge ??
        (state.key === undefined
          ? "pendingToTransient"
          : state.isDeleted
          ? "deletedToDetached"
          : "persistentToDetached"),
      state.object,
      this,
    );
  }

  /** Notes how an object is before a step changes it, in case that is undone. */
  #note(state: InstanceState): void {
    const level = this.levels.at(-1);
    if (level?.has(state)) return;
    const { key, committed, mapper } = state;
    const values = mapper.columns.map((column) => state.read(column));
    level?.set(state, { key, committed, values });
  }

  /** An identity is free again. */
  #leave({ key, object }: InstanceState): void {
    if (key !== undefined && this.identityMap.get(key) === object) {
      this.identityMap.delete(key);
    }
  }
}

/** What an object holds is not known any more; the next read brings it anew. */
export function expireState(state: InstanceState): void {
  for (const handle of state.handles.values()) handle.expire();
  state.isExpired = true;
  hooks.hear?.("expire", state.object);
}

/** Whether an object's attributes or relations differ from its row. */
export function isModified(state: InstanceState): boolean {
  return state.changes().length > 0 ||
    [...state.handles.values()].some(({ isChanged }) => isChanged);
}

/** Visits the objects that relations of a cascade lead to, if they are here. */
function follow(
  state: InstanceState,
  cascade: Cascade,
  visit: (item: object) => void,
): void {
  for (const handle of [...state.handles.values()]) {
    if (!handle.relation.cascade.has(cascade)) continue;
    for (const item of [...handle.known]) visit(item);
  }
}

/** A value, of a key that was to come the key that its object has now. */
function inRow(value: unknown): unknown {
  return value instanceof KeyRef ? value.state.read(value.column) : value;
}

/** Gives an object what a row says of attributes that are expired or not here. */
function fill(
  state: InstanceState,
  columns: readonly Column<unknown>[],
  row: readonly unknown[],
  start: number,
  overwrite: boolean,
): void {
  const { mapper, isExpired, absent } = state;
  if (!overwrite && !isExpired && !absent?.size) return;
  const committed = state.committed ??= [];
  columns.forEach((column, i) => {
    const isAbsent = absent?.has(mapper.keyOf(column));
    if (!overwrite && !isExpired && !isAbsent) return;
    const at = mapper.columns.indexOf(column);
    const now = state.read(column);
    // What the program set since stays.
    const isChanged = now !== undefined && at >= 0 &&
      !sameValue(now, committed[at], column);
    if (at >= 0) committed[at] = copyValue(row[start + i]);
    if (overwrite || !isChanged) state.write(column, row[start + i]);
  });
  // Of a class that inherits, a row of the base says not all.
  if (isExpired && mapper.inherits) {
    const there = new Set(columns);
    const changed = new Set(state.changes());
    for (const column of mapper.columns) {
      if (!there.has(column) && !changed.has(column)) state.unload(column);
    }
  }
  if (isExpired || overwrite) hooks.hear?.("refresh", state.object);
  state.isExpired = false;
}

function restore(
  state: InstanceState,
  column: Column<unknown>,
  i: number,
): void {
  const before = state.committed?.[i];
  if (before !== undefined) state.write(column, copyValue(before));
}
