import type { Engine } from "./engine.ts";
import { SqlError } from "./errors.ts";

/** The name of an engine: one of those that are known, or one that is only known as text. */
// deno-lint-ignore ban-types -- keeps the known names in an editor's list
export type EngineName<Name extends string> = Name | (string & {});

/** Engines by name, for routing. */
export class EngineRegistry<Name extends string = string> {
  readonly #engines: ReadonlyMap<string, Engine>;
  readonly #random: () => number;

  /** Names engines; `random` is for tests that want a certain choice. */
  constructor(
    engines: Readonly<Record<Name, Engine>>,
    options: { readonly random?: () => number } = {},
  ) {
    this.#engines = new Map(Object.entries<Engine>(engines));
    this.#random = options.random ?? Math.random;
  }

  /** The names, in the order in which they were given. */
  get names(): Name[] {
    return [...this.#engines.keys()] as Name[];
  }

  /**
   * The engine of a name.
   *
   * @throws {SqlError} If there is none (`"sql/unknown-engine"`).
   */
  get(name: EngineName<Name>): Engine {
    const engine = this.#engines.get(name);
    if (engine) return engine;
    throw new SqlError(
      "sql/unknown-engine",
      `Cannot find engine "${name}": the registry has ${
        this.names.map((known) => `"${known}"`).join(", ")
      }`,
    );
  }

  /** One of several engines, by chance. */
  choose(names: readonly EngineName<Name>[]): Engine {
    const name = names[Math.floor(this.#random() * names.length)];
    if (name !== undefined) return this.get(name);
    throw new SqlError(
      "sql/unknown-engine",
      "Cannot choose an engine of no names",
    );
  }
}
