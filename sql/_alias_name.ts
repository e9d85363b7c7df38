import type { Compiler } from "./compiler.ts";
import type { FromClause } from "./from.ts";

/** The name of an alias: the given one, or one numbered within the statement. */
export function aliasName(
  alias: FromClause & { readonly alias: string | undefined },
  { aliases }: Compiler,
): string {
  const { alias: given, labelPrefix } = alias;
  const known = given ?? aliases.get(alias);
  if (known !== undefined) return known;
  const taken = new Set(aliases.values());
  let name = "";
  for (let n = 1; !name || taken.has(name); n++) name = `${labelPrefix}_${n}`;
  aliases.set(alias, name);
  return name;
}
