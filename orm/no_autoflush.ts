import type { Session } from "./session.ts";

/**
 * Runs a function during which queries do not write pending changes first.
 *
 * @example
 * ```ts ignore
 * const twins = await noAutoflush(session, () => session.scalars(query));
 * ```
 */
export async function noAutoflush<T>(
  session: Session,
  work: () => Promise<T>,
): Promise<T> {
  const { unit } = session["~core"];
  unit.quiet++;
  try {
    return await work();
  } finally {
    unit.quiet--;
  }
}
