import { Bind } from "./expression.ts";
import { Column, type Definition, FromClause } from "./from.ts";
import { Node } from "./node.ts";
import type { SqlType } from "./types.ts";

/** What two statements of the same shape have in common, and what they do not. */
export interface Fingerprint {
  /** Equal for statements that compile to the same text. */
  readonly key: string;
  /** The parameters, in the order in which the statement holds them. */
  readonly binds: readonly Bind[];
  /** The named queries it uses, each after those that it uses itself. */
  readonly definitions: readonly Definition[];
}

// Tables, types and column descriptions are told apart by identity.
const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) ids.set(object, id = ++lastId);
  return id;
}

// Plain types are alike when they read alike; the user's own, when they are one.
function typeKey(type: SqlType): string {
  if (type.base) return `:#${idOf(type)}`;
  const item = type.item ? typeKey(type.item) : "";
  return `:${type.name}(${
    type.args.map((arg) => `${`${arg}`.length}${arg}`)
  }${item})`;
}

/** Walks a statement once: its shape becomes a key, its parameters a list. */
export function fingerprint(statement: Node): Fingerprint {
  const binds: Bind[] = [];
  // Aliases are made anew for each statement, so they count by position.
  const aliases = new Map<FromClause, number>();
  const definitions: Definition[] = [];
  const places = new Map<Bind, number>();
  let key = "";

  const walk = (part: unknown): void => {
    if (typeof part === "string") {
      key += `'${part.length}:${part}`;
    } else if (typeof part !== "object" || part === null) {
      key += `,${part}`;
    } else if (Array.isArray(part)) {
      key += "[";
      for (const item of part) walk(item);
      key += "]";
    } else if (
      part instanceof Column && part.kind === "column" && part.table.isNamed
    ) {
      // It stands for its table, name and type together.
      key += `#${idOf(part)}`;
    } else if (part instanceof Bind) {
      // A parameter that stands in two places is not two that are alike.
      const at = places.get(part);
      key += at === undefined ? "?" : `?${at}`;
      if (at !== undefined) return;
      key += part.type ? typeKey(part.type) : ".";
      places.set(part, binds.push(part));
    } else if (part instanceof Node) {
      if (part instanceof FromClause) {
        if (part.isNamed) {
          key += `#${idOf(part)}`;
          return;
        }
        const seen = aliases.get(part);
        if (seen !== undefined) {
          key += `@${seen}`;
          return;
        }
        aliases.set(part, aliases.size);
      }
      key += `(${part.kind}`;
      for (const field of part.structure()) walk(field);
      key += ")";
      if ("introduce" in part) definitions.push(part as Definition);
    } else {
      key += "args" in part ? typeKey(part as SqlType) : `#${idOf(part)}`;
    }
  };

  walk(statement);
  return { key, binds, definitions };
}
