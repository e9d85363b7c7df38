import { type Column, plainRow, type RowSource } from "../sql/mod.ts";
import { StateError } from "./errors.ts";
import { hasMoved } from "./handles/handle.ts";
import { hooks } from "./hooks.ts";
import { makeObjects } from "./hydration.ts";
import type { RelationLoader } from "./loading/loader.ts";
import type { MakeObject, Mapper } from "./mapper.ts";
import type { Cascade } from "./relation.ts";
import {
  copyValue,
  identityKey,
  type InstanceState,
  type ObjectState,
  stateOf,
  type StateOwner,
} from "./state.ts";
import type { Plan } from "./unit_of_work.ts";
import { KeyRef, type Values } from "./work.ts";

/** The session of a set. */
interface SetOwner {
  readonly options: { readonly warn?: (message: string) => void };
}

/** Takes notes of how objects are given back what they were; an engine that holds transactions brings it. */
interface Notes {
  note(state: object, remember: () => () => void): void;
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
  /** Loads relations of its objects. */
  readonly loader: RelationLoader;
  /** The session whose objects they are. */
  readonly owner: SetOwner;
  // Pending objects that were let go of with an owner without whom they are not.
  readonly #dropped = new Set<object>();
  // Objects whose rows are deleted, in a transaction that is not over.
  readonly #gone = new Set<InstanceState>();

  /** Starts an empty set. */
  constructor(loader: RelationLoader, owner: SetOwner) {
    this.loader = loader;
    this.owner = owner;
  }

  /** The states of objects that have rows. */
  persistent(): InstanceState[] {
    return [...this.identityMap.values()].map(stateOf);
  }

  get #all(): InstanceState[] {
    return [...this.pending, ...this.persistent()];
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
    follow(state, "expunge", (item) => {
      if (stateOf(item).session === this) this.expunge(item);
    });
  }

  /** Lets go of every object. */
  clear(): void {
    for (const state of this.#all) this.#release(state);
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

  warn(message: string): void {
    this.owner.options.warn?.(message);
  }

  /** Follows every cascade; gives the objects whose rows will be deleted. */
  collect(): Set<InstanceState> {
    for (const state of this.#all) {
      follow(state, "save-update", (item) => this.cascade(item));
    }
    for (const { object, isOrphan } of this.pending) {
      if (isOrphan) this.orphan(object);
    }
    const deleted = new Set(this.doomed);
    const owning = this.#all.flatMap(({ handles }) => [...handles.values()])
      .filter(({ relation }) => relation.cascade.has("delete-orphan"));
    for (
      const [relation, handles] of Map.groupBy(owning, (one) => one.relation)
    ) {
      const adopted = new Set(handles.flatMap(({ additions }) => additions));
      for (const item of adopted) stateOf(item).isOrphan = false;
      for (const { removals, state: { object } } of handles) {
        for (const item of removals) {
          const state = stateOf(item);
          if (
            state.key !== undefined && !adopted.has(item) &&
            !hasMoved(item, relation, object)
          ) deleted.add(state);
        }
      }
    }
    for (const state of this.persistent()) {
      if (state.isOrphan) deleted.add(state);
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
  hydrate(
    source: RowSource,
    overwrite = false,
    token?: string,
  ): MakeObject {
    const mapper = source.owner as Mapper | undefined;
    if (!mapper) return plainRow(source);
    const make = (one: Mapper, columns: RowSource["columns"]): MakeObject =>
      makeObjects(this, one, columns, overwrite, token);
    return mapper.polymorphism?.rows(source, make) ??
      make(mapper, source.columns);
  }

  /** Every answer is there: objects become what the plan wrote. */
  finish(
    { works, saved, gone, settled }: Plan,
    generated: ReadonlyMap<InstanceState, Values>,
    notes?: Notes,
  ): void {
    for (const { state } of settled.keys()) this.#note(state, notes);
    // What is not written is as it was, also of a row that is taken over.
    for (const [state, { former }] of saved) {
      this.#note(state, notes);
      state.committed = [
        ...state.committed ??
          state.mapper.columns.map((one) =>
            former?.mapper.columns.includes(one) ? former.before(one) : null
          ),
      ];
    }
    for (const state of gone) {
      this.#note(state, notes);
      this.#leave(state);
      state.isDeleted = true;
      this.doomed.delete(state);
      this.#gone.add(state);
      this.#crossed(state, "persistent");
    }
    for (const { kind, state, values } of works) {
      const found = state && saved.get(state);
      if (!found || kind === "delete") continue;
      const { mapper: { columns }, committed = [] } = state;
      const made = generated.get(state) ?? new Map<Column<unknown>, unknown>();
      // What was made first: a row may name its own key.
      for (const [column, given] of new Map([...made, ...values, ...made])) {
        const at = columns.indexOf(column);
        if (at < 0) continue;
        // Of a key that was to come, the key that its object has now.
        const value = given instanceof KeyRef
          ? given.known ?? given.state.read(given.column)
          : given;
        committed[at] = copyValue(value);
        if (made.has(column) || !found.isGiven.get(column)) {
          state.write(column, value);
        }
      }
    }
    for (const state of saved.keys()) {
      const isBorn = state.key === undefined;
      const { mapper, object } = state;
      const { columns, allColumns } = mapper;
      if (isBorn) {
        for (const column of columns) {
          if (state.read(column) === undefined) giveBack(state, column);
        }
      }
      // What the database computes of a row may be another now.
      for (const column of allColumns.slice(columns.length)) {
        if (isBorn || !column.spec.info?.isKept) {
          hooks.unload!(state, column);
        }
      }
      // Rows may have changed places: another may have this one's key by now.
      this.#leave(state);
      state.key = identityKey(mapper, state.primaryKey, state.identityToken);
      this.identityMap.set(state.key, object);
      this.pending.delete(state);
      if (isBorn) this.#crossed(state, "pending");
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
        if (handle.lose(lost)) this.#note(state, notes);
      }
    }
  }

  /** The transaction is over, and what it did stays. */
  settle(expire = false): void {
    if (expire) this.persistent().forEach(expireState);
    for (const state of this.#gone) {
      state.session = undefined;
      this.#crossed(state, "deleted");
    }
    this.#gone.clear();
  }

  /**
   * Undoes what was added, marked and changed; since a savepoint, where notes
   * have given these objects back what they were.
   */
  rollback(undone?: ReadonlyMap<object, unknown>): void {
    const touched = this.persistent().filter((state) =>
      !undone || undone.has(state) || isModified(state)
    );
    for (const state of this.pending) this.#release(state);
    this.doomed.clear();
    this.#dropped.clear();
    for (const state of touched) {
      if (state.committed) {
        for (const column of state.mapper.columns) giveBack(state, column);
      }
      expireState(state);
      state.isOrphan = false;
    }
  }

  #take(state: InstanceState): void {
    const { mapper, key, object, session, isDeleted, status: from } = state;
    const present = this.identityMap.get(key ?? "") ?? object;
    const problem = isDeleted
      ? "its row was deleted; makeTransient() it first"
      : session && session !== this
      ? "it is in another session; expunge() it there first"
      : present !== object
      ? "another object of the same identity is in the session; merge() it"
      : undefined;
    if (problem) throw new StateError(`Cannot add ${mapper.name}: ${problem}`);
    if (session) return;
    if (key === undefined) this.pending.add(state);
    else this.identityMap.set(key, object);
    hooks.hear?.("beforeAttach", object, this);
    state.session = this;
    hooks.hear?.("afterAttach", object, this);
    this.#crossed(state, from);
  }

  #release(state: InstanceState, from: ObjectState = state.status): void {
    this.pending.delete(state);
    this.doomed.delete(state);
    this.#gone.delete(state);
    this.#leave(state);
    state.session = undefined;
    this.#crossed(state, from);
  }

  /** Tells that an object left a state for the one that it is in. */
  #crossed(state: InstanceState, from: ObjectState): void {
    hooks.crossed?.(state.object, from, state.status, this);
  }

  /** Notes how an object is before a step changes it, in case that is undone. */
  #note(state: InstanceState, notes?: Notes): void {
    notes?.note(state, () => {
      const { key, committed, mapper, object } = state;
      const columns = key === undefined ? mapper.columns : [];
      const values = columns.map((column) => state.read(column));
      return () => {
        const { isDeleted, session } = state;
        // No rollback brings back what was let go of.
        if (session !== this) return;
        this.#leave(state);
        this.#gone.delete(state);
        Object.assign(state, { key, committed, isDeleted: false });
        if (key === undefined) {
          this.#release(state, "persistent");
          columns.forEach((column, i) => state.write(column, values[i]));
          for (const handle of state.handles.values()) handle.unsave();
        } else {
          this.identityMap.set(key, object);
          if (isDeleted) this.#crossed(state, "deleted");
        }
      };
    });
  }

  /** An identity is free again. */
  #leave({ key, object }: InstanceState): void {
    if (key !== undefined && this.identityMap.get(key) === object) {
      this.identityMap.delete(key);
    }
  }
}

/** An attribute is what its row holds; what was not loaded is not known, though it was set since. */
function giveBack(state: InstanceState, column: Column<unknown>): void {
  const known = state.before(column);
  if (known !== undefined) state.write(column, copyValue(known));
  else hooks.unload?.(state, column);
}

/** What an object holds is not known any more; the next read brings it anew. */
function expireState(state: InstanceState): void {
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
    for (const item of handle.known) visit(item);
  }
}
