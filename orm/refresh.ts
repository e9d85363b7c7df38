import { unload } from "./absence.ts";
import { type LockOptions, select } from "../sql/mod.ts";
import { readerOf } from "./_reader_of.ts";
import { StateError } from "./errors.ts";
import { lockRows } from "./locking.ts";
import type { Session } from "./session.ts";
import { populateExisting } from "./session_options.ts";
import { identityKey, type InstanceState, stateOf } from "./state.ts";

/**
 * Forgets what is known of a row: changes that were not written are lost, and
 * reading a forgotten attribute is an error until it is loaded again.
 *
 * @param names Attributes and relations. @default all but the primary key
 * @throws {StateError} If the object has no row in a session.
 */
export function expire(object: object, names?: readonly string[]): void {
  const state = persistent(object, "expire");
  const { mapper, handles } = state;
  for (const column of mapper.columns) {
    const isMeant = names?.includes(mapper.keyOf(column)) ??
      !mapper.primaryKey.includes(column);
    if (isMeant) unload(state, column);
  }
  for (const [key, handle] of handles) {
    if (names && !names.includes(key)) continue;
    const { cascade } = handle.relation;
    const items = handle.items ?? [];
    handle.expire();
    if (!cascade.has("refresh-expire")) continue;
    for (const item of items) {
      const { status, session } = stateOf(item);
      if (status === "persistent") expire(item);
      // What was only added goes with its owner.
      else if (cascade.has("delete-orphan")) session?.orphan(item);
    }
  }
  if (!names) state.isExpired = true;
}

/** Settings of {@linkcode refresh}. */
export interface RefreshOptions {
  /** Locks the row until the transaction ends, where one can be held open; see `getForUpdate()`. */
  readonly lock?: LockOptions;
}

/**
 * Reads an object's row again; changes that were not written are lost.
 *
 * @param names Attributes and relations. @default all
 * @throws {StateError} If the object has no row in a session, or the row is gone.
 */
export async function refresh(
  session: Session,
  object: object,
  names?: readonly string[],
  { lock }: RefreshOptions = {},
): Promise<void> {
  const state = persistent(object, "refresh");
  const { mapper } = state;
  const key = state.primaryKey;
  if (names) expire(object, names);
  const query = select(mapper.cls as never).where(
    ...mapper.primaryKey.map((column, i) => column.eq(key[i])),
  );
  const asked = names ? query : query.options(populateExisting);
  const reader = readerOf(session, state);
  const [found] = lock
    ? await lockRows(reader, asked, lock)
    : await reader.execute(asked);
  if (found !== object) {
    throw new StateError(
      `Cannot refresh ${mapper.name}: its row is gone; expunge() the object`,
    );
  }
  for (const [key, handle] of state.handles) {
    if (!names) handle.expire();
    else if (names.includes(key)) await handle.load();
  }
}

/** Makes an object as if it had just been made: without row and session. */
export function makeTransient(object: object): void {
  const state = stateOf(object);
  state.session?.expunge(object);
  state.key = state.committed = undefined;
  state.isDeleted = state.isExpired = false;
  for (const column of state.mapper.columns) {
    if (state.read(column) === undefined) state.write(column, undefined);
  }
  for (const handle of state.handles.values()) handle.unsave();
}

/**
 * Makes a new object stand for a row that is there, by its primary key; its
 * other attributes are loaded when it is in a session.
 *
 * @throws {StateError} If it is not transient.
 */
export function makeTransientToDetached(object: object): void {
  const state = stateOf(object);
  const { mapper, status } = state;
  if (status !== "transient") {
    throw new StateError(
      `Cannot detach ${mapper.name}: it is ${status}; makeTransient() it first`,
    );
  }
  state.key = identityKey(mapper, state.primaryKey, state.identityToken);
  state.committed = mapper.columns.map((column) =>
    mapper.primaryKey.includes(column) ? state.read(column) : undefined
  );
  for (const column of mapper.columns) {
    if (!mapper.primaryKey.includes(column)) unload(state, column);
  }
  state.isExpired = true;
}

function persistent(object: object, what: string): InstanceState {
  const state = stateOf(object);
  if (state.status === "persistent") return state;
  throw new StateError(
    `Cannot ${what} ${state.mapper.name}: it is ${state.status}; only what has a row in a session can be read again`,
  );
}
