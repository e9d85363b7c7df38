import type { Mapper } from "./mapper.ts";

/** Whether a class declares a relation, told before the other class is there. */
export function declaresRelation(
  { parts, inherits }: Mapper,
  key: string,
): boolean {
  return Object.hasOwn(parts.relations ?? {}, key) ||
    inherits !== undefined && declaresRelation(inherits, key);
}
