import type { CacheBackend } from "./backend.ts";
import { CacheConfigurationError } from "./errors.ts";
import type { CacheRegion } from "./region.ts";

/** A value of a flat setting: text, or a binding as it is. */
export type Setting = unknown;

/** What makes a backend of its arguments. */
export type BackendFactory = (
  // deno-lint-ignore no-explicit-any -- each backend knows its own arguments
  args: any,
) => CacheBackend;

/** Backends by the names that settings use. */
export type BackendRegistry = Readonly<Record<string, BackendFactory>>;

/**
 * Configures a region from flat settings, as an environment has them:
 * `{prefix}backend`, `{prefix}expirationTime`, `{prefix}replace`, and
 * `{prefix}arguments.*` for the backend. Text that reads as a number, a boolean
 * or nothing becomes that.
 *
 * @example
 * ```ts
 * import { configureFromConfig, createRegion } from "@aludel/aludel/cache";
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { equal } from "node:assert/strict";
 *
 * const region = createRegion({ name: "widgets" });
 * configureFromConfig(region, {
 *   "cache.backend": "memory",
 *   "cache.expirationTime": "300",
 *   "cache.arguments.maxItems": "5000",
 * }, "cache.", { memory });
 * equal(region.backend.name, "memory");
 * ```
 *
 * @throws {CacheConfigurationError} If the backend is not in the registry; the
 * region stays as it was.
 */
export function configureFromConfig(
  region: CacheRegion,
  settings: Readonly<Record<string, Setting>>,
  prefix: string,
  backends: BackendRegistry,
): CacheRegion {
  const own = (name: string) => coerce(settings[prefix + name]);
  const name = String(own("backend"));
  if (!Object.hasOwn(backends, name)) {
    throw new CacheConfigurationError(
      "unknown-backend",
      `Cannot configure region "${region.name}": there is no backend "${name}"; known are ${
        Object.keys(backends).join(", ")
      }`,
    );
  }
  const args: Record<string, unknown> = {};
  const start = `${prefix}arguments.`;
  for (const [key, value] of Object.entries(settings)) {
    if (key.startsWith(start)) args[key.slice(start.length)] = coerce(value);
  }
  const expirationTime = own("expirationTime");
  return region.configure({
    backend: backends[name]!(args),
    // A wrong one is refused with the rest of the configuration.
    ...expirationTime !== undefined &&
      { expirationTime: expirationTime as number },
    replace: own("replace") === true,
  });
}

/** What a text stands for; all else is left as it is. */
export function coerce(value: unknown): unknown {
  if (typeof value !== "string") return value;
  switch (value.trim().toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    case "":
    case "none":
    case "null":
      return undefined;
    case "infinity":
      return Infinity;
  }
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)
    ? Number(value)
    : value;
}
