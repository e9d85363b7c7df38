/** Root of every error that the cache throws itself. */
export class CacheError extends Error {
  /** The name of the class. */
  override readonly name: string = "CacheError";
  /** Stable across versions, such as `"cache/not-configured"`. */
  declare readonly code: string;

  /** `code` is what happened, without the leading `cache/`. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = `cache/${code}`;
  }
}

/** The program is wrong: the region, its backend or an option. */
export class CacheConfigurationError extends CacheError {
  /** The name of the class. */
  override readonly name = "CacheConfigurationError";
}

/** A key, a value or the answer of a creator cannot be cached as it is. */
export class CacheInputError extends CacheError {
  /** The name of the class. */
  override readonly name = "CacheInputError";
}

/**
 * Thrown by a {@linkcode Codec} that cannot read stored bytes. The region then
 * treats the entry as missing, and `getOrCreate` writes it anew.
 */
export class CannotDecodeError extends CacheError {
  /** The name of the class. */
  override readonly name = "CannotDecodeError";
}

/** A value was not created in time, or its creation failed in another place. */
export class CacheCreationError extends CacheError {
  /** The name of the class. */
  override readonly name = "CacheCreationError";
}

/** The platform behind a backend or a lock answered with a failure. */
export class CacheBackendError extends CacheError {
  /** The name of the class. */
  override readonly name = "CacheBackendError";
}

/**
 * What a backend or lock stands on. Without it a creator would make good for
 * every read that fails, and nobody would notice that nothing is cached.
 *
 * @throws {CacheConfigurationError} If it is not there (`"cache/no-binding"`).
 */
export function bindingOf<T>(name: string, given: T): T {
  if (given) return given;
  throw new CacheConfigurationError(
    "no-binding",
    `Cannot use "${name}": its binding is not there; check its name in \`env\``,
  );
}

/**
 * For the `catch` of a backend or lock: gives the platform's failure a type, by
 * what the caller can do about it.
 *
 * @param name Of the backend or the lock.
 * @param input What the platform says of a key or a value that it refuses.
 */
export function refusal(
  name: string,
  input?: RegExp,
): (cause: unknown) => never {
  return (cause) => {
    throw new (input?.test(`${cause}`) ? CacheInputError : CacheBackendError)(
      name,
      `${cause}`,
      { cause },
    );
  };
}
