import { unload } from "./absence.ts";
import { rowSource, type Select, select } from "../sql/mod.ts";
import { readerOf } from "./_reader_of.ts";
import { StaleDataError, StateError } from "./errors.ts";
import { type Handle, handleOf } from "./handles/handle.ts";
import { ManyHandle } from "./handles/many_handle.ts";
import { OneHandle } from "./handles/one_handle.ts";
import { among, hand } from "./loading/related.ts";
import { selectinload } from "./loading/selectin.ts";
import type { Mapper } from "./mapper.ts";
import { noAutoflush } from "./no_autoflush.ts";
import { isModified } from "./object_set.ts";
import type { Relation } from "./relation.ts";
import type { Session } from "./session.ts";
import {
  adoptState,
  copyValue,
  identityKey,
  type InstanceState,
  sameValue,
  stateOf,
} from "./state.ts";

/** Settings of {@linkcode merge}. */
export interface MergeOptions {
  /**
   * Whether rows are read. Without, the given objects are taken for what the
   * database has: of a cache, for one. @default {true}
   */
  readonly load?: boolean;
}

/**
 * Copies the state of an object, and of what its relations cascade `"merge"`
 * to, onto the objects of the same identity in a session, as SQLAlchemy's
 * `Session.merge()` does. The given objects stay as they are and stay outside.
 *
 * Attributes that were never set are not copied, `null` is; a collection that
 * was set replaces the other one. Whatever the graph, its rows are read in one
 * trip, and without an identity nothing is read. An empty collection of an
 * object without a row counts as not set.
 *
 * @example
 * ```ts
 * import { Entity, integer, merge, Session, text } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text(50) }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new User({ id: 1, name: "ed" }));
 * await session.commit();
 *
 * const ed = await merge(session, new User({ id: 1, name: "edward" }));
 * strictEqual(ed, await session.get(User, 1));
 * strictEqual(ed.name, "edward");
 * ```
 *
 * @returns The session's own object.
 * @throws {StaleDataError} If the given version is not that of the row.
 * @throws {StateError} If nothing is to be read, and a given object has no row
 *   or has changes; nothing is merged then.
 */
export async function merge<T extends object>(
  session: Session,
  given: T,
  { load = true }: MergeOptions = {},
): Promise<T> {
  if (session.new.includes(given)) {
    session.options.warn?.(
      `${
        stateOf(given).mapper.name
      } is pending in this session already; merging it does nothing`,
    );
  }
  const states = graphOf(session, stateOf(given));
  if (load) await readTargets(session, states);
  else states.forEach(checkClean);

  const targets = new Map<InstanceState, InstanceState>();
  const byIdentity = new Map<string, InstanceState>();
  for (const state of states) {
    const [first] = identitiesOf(session, state);
    const key = knownIdentity(session, state) ?? first?.key;
    const known = session.identityMap.get(key ?? "");
    const target = key !== undefined && byIdentity.get(key) ||
      (known ? stateOf(known) : newTarget(state));
    targets.set(state, target);
    if (key !== undefined) byIdentity.set(key, target);
    if (load) checkVersion(state, target);
  }
  const of = (item: object): object =>
    targets.get(stateOf(item))?.object ?? item;
  for (const [state, target] of targets) {
    if (!load) {
      target.key = state.key;
      copyWhole(state, target);
    }
    if (!session.has(target.object)) session.add(target.object);
    if (load) copySet(state, target);
  }
  for (const [state, target] of targets) {
    for (const handle of mergedHandles(state)) {
      const own = handleOf(target.object, handle.relation);
      if (load) relate(handle, own, of);
      else {
        hand(handle.relation, target.object, handle.known.map(of), true);
      }
    }
  }
  return of(given) as T;
}

/** An object that is merged and those that it cascades to, in the order met. */
function graphOf(session: Session, first: InstanceState): InstanceState[] {
  const found = new Set<InstanceState>();
  const visit = (state: InstanceState): void => {
    // What is in the session is its own target.
    if (!session.has(state.object)) found.add(state);
  };
  visit(first);
  // It grows while it is walked.
  for (const state of found) {
    for (const handle of mergedHandles(state)) {
      for (const item of handle.known) visit(stateOf(item));
    }
  }
  return [...found];
}

/** The relations that an object takes along, where something is known of them. */
function mergedHandles({ handles, key }: InstanceState): Handle[] {
  return [...handles.values()].filter((handle) => {
    const { cascade, options } = handle.relation;
    if (!cascade.has("merge") || options.viewOnly) return false;
    if (!(handle instanceof ManyHandle)) return handle.items !== undefined;
    // To look at a new object's collection is not to set it.
    return handle.known.length > 0 ||
      handle.items !== undefined && key !== undefined;
  });
}

/** An identity, and which of several databases it is in. */
type Identity = Pick<InstanceState, "identityToken"> & { readonly key: string };

/** What the identity of an object may be whose key is set, if only in part. */
function identitiesOf(session: Session, state: InstanceState): Identity[] {
  const { mapper, identityToken, key } = state;
  if (key !== undefined) return [{ key, identityToken }];
  const values = state.primaryKey;
  if (values.includes(undefined) || values.every((value) => value === null)) {
    return [];
  }
  return (session.identityTokens?.(mapper, values) ?? [undefined]).map(
    (identityToken) => ({
      identityToken,
      key: identityKey(mapper, values, identityToken),
    }),
  );
}

/** The identity that the session has an object of. */
function knownIdentity(
  session: Session,
  state: InstanceState,
): string | undefined {
  return identitiesOf(session, state)
    .find(({ key }) => session.identityMap.has(key))?.key;
}

/** Keys to read, and relations along with them, by class. */
type Wanted = Map<Mapper, [unknown[][], Set<Relation>]>;

/** Reads rows that are not here, and what collections hold that are replaced. */
async function readTargets(
  session: Session,
  states: readonly InstanceState[],
): Promise<void> {
  const wanted = new Map<Session, Wanted>();
  for (const state of states) {
    const known = session.identityMap.get(knownIdentity(session, state) ?? "");
    const unknown = mergedHandles(state).map(({ relation }) => relation)
      .filter((relation) => !known || !handleOf(known, relation).isLoaded);
    if (known && !stateOf(known).isExpired && !unknown.length) continue;
    const places = known ? [stateOf(known)] : identitiesOf(session, state);
    for (const place of places) {
      const reader = readerOf(session, place);
      const here: Wanted = wanted.get(reader) ?? new Map();
      wanted.set(reader, here);
      const [keys, relations] = here.get(state.mapper) ?? [[], new Set()];
      here.set(state.mapper, [keys, relations]);
      keys.push(state.primaryKey);
      for (const relation of unknown) relations.add(relation);
    }
  }
  await noAutoflush(
    session,
    () =>
      Promise.all([...wanted].map(([reader, here]) => {
        const queries = [...here].map(([mapper, [keys, relations]]) =>
          (select({ [rowSource]: mapper.source }) as Select<unknown>)
            .where(among(mapper.primaryKey, keys))
            .options(
              ...[...relations].map((relation) => selectinload(relation)),
            )
        );
        return reader.batch(...queries);
      })),
  );
}

/** An object for what the session has none of: no constructor runs. */
function newTarget({ mapper, identityToken }: InstanceState): InstanceState {
  const target = adoptState(Object.create(mapper.cls.prototype), mapper);
  if (identityToken !== undefined) target.identityToken = identityToken;
  return target;
}

function checkClean(state: InstanceState): void {
  const { key, mapper } = state;
  if (key !== undefined && !isModified(state)) return;
  throw new StateError(
    `Cannot merge ${mapper.name} without reading: it ${
      key === undefined ? "has no row" : "has changes"
    }; merge it with load`,
  );
}

function checkVersion(from: InstanceState, to: InstanceState): void {
  const { versionColumn } = to.mapper;
  const given = versionColumn && from.read(versionColumn);
  if (given === undefined || to.key === undefined) return;
  if (!sameValue(given, to.read(versionColumn!), versionColumn!)) {
    throw new StaleDataError(to.mapper.name, to.primaryKey);
  }
}

/** Sets what was set. */
function copySet(from: InstanceState, to: InstanceState): void {
  const { mapper, object } = to;
  for (const column of mapper.columns) {
    const value = from.read(column);
    if (value === undefined || sameValue(value, to.read(column), column)) {
      continue;
    }
    object[mapper.keyOf(column)] = copyValue(value);
  }
}

/** Takes another object's row for what the database has. */
function copyWhole(from: InstanceState, to: InstanceState): void {
  const { mapper } = to;
  to.committed = from.committed?.map(copyValue);
  to.isExpired = from.isExpired;
  to.later = from.later;
  for (const column of mapper.allColumns) {
    const value = from.read(column);
    if (value === undefined) unload(to, column);
    else to.write(column, copyValue(value));
  }
}

/** Gives a relation the objects that another one holds. */
function relate(
  from: Handle,
  to: Handle,
  of: (item: object) => object,
): void {
  const items = from.known.map(of);
  if (!(from instanceof ManyHandle && to instanceof ManyHandle)) {
    if (to instanceof OneHandle) to.set(items[0] ?? null);
    return;
  }
  if (from.items) return to.set(items);
  to.add(...items);
  for (const item of from.removed ?? []) to.remove(of(item));
}
