import type { Column } from "../sql/mod.ts";
import { NotLoadedError } from "./errors.ts";
import { hooks } from "./hooks.ts";
import type { Mapper } from "./mapper.ts";
import type { InstanceState } from "./state.ts";

/**
 * Whatever leaves columns out of rows says so before, so that nobody else
 * carries what becomes of them.
 */
export function leavesOut(): void {
  hooks.unload = unload;
}

/** Makes reading a column of an object an error until it has a value. */
export function unload(state: InstanceState, column: Column<unknown>): void {
  leavesOut();
  const { mapper, object, committed } = state;
  const absent = state.absent ??= new Set();
  const key = mapper.keyOf(column);
  const at = mapper.columns.indexOf(column);
  if (committed && at >= 0) committed[at] = undefined;
  absent.add(key);
  // It is an accessor that says so where it was absent before, or is listened to.
  if (Object.getOwnPropertyDescriptor(object, key)?.get) return;
  // Not enumerable, so that the object can still be copied and printed.
  Object.defineProperty(object, key, {
    configurable: true,
    get: () => {
      throw notLoaded(mapper, key);
    },
    set: (value: unknown) => {
      absent.delete(key);
      delete object[key];
      object[key] = value;
    },
  });
}

/** The error of reading a column that is not there. */
export function notLoaded({ name }: Mapper, key: string): NotLoadedError {
  return new NotLoadedError(
    name,
    key,
    `await loadColumns(session, object, ${name}.c.${key})`,
  );
}
