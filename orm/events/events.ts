import type { AnyClass } from "../mapper.ts";
import { addListener } from "./listen.ts";

/** What happens to an object of a class, and what a listener is told. */
export interface ClassEvents<T> {
  /** It is being made by its constructor; the values it was given may be changed. */
  init(object: T, values: Record<string, unknown>): void;
  /** Its constructor's values could not be taken. */
  initFailure(object: T, values: Record<string, unknown>): void;
  /** It was made from a row. */
  load(object: T): void;
  /** It was there, and has values of its row anew. */
  refresh(object: T): void;
  /** A rollback, or a commit that is told so, makes its values unknown; the next read brings them anew. */
  expire(object: T): void;
  /** A commit gave it values: keys, defaults, versions. */
  refreshFlush(object: T): void;
  /** Its row is about to be inserted; its own columns may still be set. */
  beforeInsert(object: T): void;
  /** Its row is inserted. */
  afterInsert(object: T): void;
  /** Its row is about to be updated; its own columns may still be set. */
  beforeUpdate(object: T): void;
  /** Its row is updated. */
  afterUpdate(object: T): void;
  /** Its row is about to be deleted. */
  beforeDelete(object: T): void;
  /** Its row is deleted. */
  afterDelete(object: T): void;
}

/** What happens in a session, and what a listener is told. */
export interface SessionEvents<S> {
  /** Objects enter, leave and change state; at the call they are in the new one. */
  transientToPending(session: S, object: object): void;
  /** A pending object was let go of, or rolled back. */
  pendingToTransient(session: S, object: object): void;
  /** A pending object has a row now. */
  pendingToPersistent(session: S, object: object): void;
  /** An object was made from a row. */
  loadedAsPersistent(session: S, object: object): void;
  /** The insertion of its row was rolled back. */
  persistentToTransient(session: S, object: object): void;
  /** Its row was deleted, in a transaction that is not over. */
  persistentToDeleted(session: S, object: object): void;
  /** The deletion of its row was rolled back. */
  deletedToPersistent(session: S, object: object): void;
  /** The deletion of its row was committed. */
  deletedToDetached(session: S, object: object): void;
  /** It was let go of. */
  persistentToDetached(session: S, object: object): void;
  /** It was taken in. */
  detachedToPersistent(session: S, object: object): void;
  /** It is about to be taken in. */
  beforeAttach(session: S, object: object): void;
  /** It was taken in. */
  afterAttach(session: S, object: object): void;
  /** Changes are about to be gathered; objects may be added, changed and deleted. */
  beforeFlush(session: S): void;
  /** Changes are written; the session still shows them as changes. */
  afterFlush(session: S): void;
  /** Changes are written and nothing is left of them in the session. */
  afterFlushPostexec(session: S): void;
  /** A commit begins. */
  beforeCommit(session: S): void;
  /** A commit is done; the objects may be looked at, but the session asks nothing of a database yet. */
  afterCommit(session: S): void;
  /** A rollback is done; the same holds. */
  afterRollback(session: S): void;
}

/** What all sessions have. */
export interface SessionLike {
  /** Objects by identity. */
  readonly identityMap: ReadonlyMap<string, object>;
}

/**
 * Hears what happens to objects of a class and of classes below it.
 *
 * @example
 * ```ts
 * import { Entity, integer, listen, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * }) {}
 * let made = 0;
 * const end = listen(User, "init", () => void made++);
 * new User({ name: "ed" });
 * end();
 * strictEqual(made, 1);
 * ```
 *
 * @param target The class.
 * @param event The event.
 * @param listener Who hears it.
 * @returns A function that ends it.
 */
export function listen<
  C extends AnyClass,
  E extends keyof ClassEvents<InstanceType<C>>,
>(
  target: C,
  event: E,
  listener: ClassEvents<InstanceType<C>>[E],
): () => void {
  return addListener(target, event, listener);
}

/**
 * Hears what happens in a session, or in every session of a class.
 *
 * @param target The session, or the class.
 * @param event The event.
 * @param listener Who hears it.
 * @returns A function that ends it.
 */
export function listenToSession<
  S extends SessionLike,
  E extends keyof SessionEvents<S>,
>(
  target: S | (abstract new (...args: never[]) => S),
  event: E,
  listener: SessionEvents<S>[E],
): () => void {
  return addListener(target, event, listener);
}
