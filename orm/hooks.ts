/** Who hears what the mapper announces. */
export interface Hooks {
  /**
   * Hears an event of an object or session; what it gives back may replace
   * the last detail. Set by `listen()`, so that nobody else carries it.
   */
  hear?: (event: string, subject: object, ...details: unknown[]) => unknown;
}

/** The one ear of this room: absent until somebody listens. */
export const hooks: Hooks = {};
