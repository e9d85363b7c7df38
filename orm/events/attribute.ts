import { notLoaded } from "../absence.ts";
import { declaresRelation } from "../_declared.ts";
import { type AnyClass, mapperOf } from "../mapper.ts";
import { InstanceState, stateOf } from "../state.ts";
import { addListener } from "./listen.ts";

/** What may be heard of an attribute. What a listener gives back is set instead; nothing leaves it. */
export interface AttributeListeners<T, V> {
  /** A value is set: of a column, or the object of a to-one relation. */
  set?(object: T, value: V, old: V | undefined, key: string): V | void;
  /** An object joins a collection. */
  append?(object: T, item: V, key: string): V | void;
  /** An object leaves a collection. */
  remove?(object: T, item: V, key: string): void;
  /** A collection is replaced by others. */
  bulkReplace?(object: T, items: readonly V[], key: string): void;
  /** Any of these has happened. */
  modified?(object: T, key: string): void;
}

/** Settings of {@linkcode listenToAttribute}. */
export interface AttributeListenerOptions {
  /** Whether changes made through the other side of a relation are heard. @default {true} */
  readonly includeBackrefs?: boolean;
}

type Watch = (object: object, value: unknown, old: unknown) => unknown;

// Columns are plain properties; those that are listened to become accessors
// of the object itself, when it is made or loaded.
const watched = new WeakMap<object, Map<string, Set<Watch>>>();
const stores = new WeakMap<
  InstanceState,
  Map<string, (value: unknown) => void>
>();

/**
 * Hears changes of an attribute, in objects that are made or loaded from now
 * on. Column attributes that are listened to are accessors of the object, so
 * that copying and JSON still work. A class must not declare such a column
 * again as a field, which would take the accessor's place: `declare name: string`.
 *
 * @example
 * ```ts
 * import { Entity, integer, listenToAttribute, text } from "@aludel/aludel/orm";
 * import { strictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * }) {}
 * listenToAttribute(User, "name", { set: (_, name: string) => name.trim() });
 * strictEqual(new User({ name: " ed " }).name, "ed");
 * ```
 *
 * @param cls The class; classes below it are heard as well.
 * @param key The attribute.
 * @returns A function that ends it.
 */
export function listenToAttribute<C extends AnyClass, V>(
  cls: C,
  key: keyof InstanceType<C> & string,
  on: AttributeListeners<InstanceType<C>, V>,
  options: AttributeListenerOptions = {},
): () => void {
  type Any = AttributeListeners<object, unknown>;
  const { set, append, remove, bulkReplace, modified } = on as Any;
  const { includeBackrefs = true } = options;
  const heard: (() => void)[] = [];
  const hearRelation = (
    event: string,
    listener: (object: object, ...details: unknown[]) => unknown,
  ): void => {
    heard.push(
      addListener(cls, event, (object, which, isBackref, ...details) => {
        if (which !== key || (isBackref && !includeBackrefs)) return;
        const given = listener(object, ...details);
        modified?.(object, key);
        return given;
      }),
    );
  };
  if (declaresRelation(mapperOf(cls), key)) {
    if (append || modified) {
      hearRelation("append", (object, item) => append?.(object, item, key));
    }
    if (remove || modified) {
      hearRelation("remove", (object, item) => remove?.(object, item, key));
    }
    if (set || modified) {
      hearRelation("set", (object, old, item) => set?.(object, item, old, key));
    }
    if (bulkReplace) {
      hearRelation(
        "bulkReplace",
        (object, items) => bulkReplace(object, items as unknown[], key),
      );
    }
  } else {
    const watch: Watch = (object, value, old) => {
      const given = set?.(object, value, old, key);
      modified?.(object, key);
      return given === undefined ? value : given;
    };
    const keys = watched.get(cls) ?? new Map<string, Set<Watch>>();
    watched.set(cls, keys);
    const watches = keys.get(key) ?? new Set();
    keys.set(key, watches.add(watch));
    heard.push(
      () => void watches.delete(watch),
      addListener(cls, "init", instrument),
      addListener(cls, "load", instrument),
    );
  }
  return () => heard.forEach((end) => end());
}

/** Makes accessors of an object's attributes that somebody listens to. */
function instrument(object: object): void {
  const state = stateOf(object);
  for (
    let at: unknown = object.constructor;
    typeof at === "function" && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [key, watches] of watched.get(at) ?? []) {
      if (!quietly(state).has(key)) instrumentOne(state, key, watches);
    }
  }
}

function instrumentOne(
  state: InstanceState,
  key: string,
  watches: ReadonlySet<Watch>,
): void {
  const { object } = state;
  let value = state.absent?.has(key) ? undefined : object[key];
  const store = (next: unknown): void => {
    value = next;
    state.absent?.delete(key);
  };
  quietly(state).set(key, store);
  Object.defineProperty(object, key, {
    configurable: true,
    enumerable: true,
    get: () => {
      if (state.absent?.has(key)) throw notLoaded(state.mapper, key);
      return value;
    },
    set: (next: unknown) => {
      let given = next;
      for (const watch of watches) given = watch(object, given, value);
      store(given);
    },
  });
}

/** How the attributes of an object that are listened to are set without being heard. */
function quietly(
  state: InstanceState,
): Map<string, (value: unknown) => void> {
  const known = stores.get(state);
  if (known) return known;
  const made = new Map<string, (value: unknown) => void>();
  stores.set(state, made);
  const { prototype } = InstanceState;
  state.write = (column, value) => {
    const store = made.get(state.mapper.keyOf(column));
    if (store) store(value);
    else prototype.write.call(state, column, value);
  };
  return made;
}
