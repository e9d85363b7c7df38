import { OrmError } from "../errors.ts";

/** What a query gives cannot be kept in a cache. */
export class QueryCacheError extends OrmError {
  /** @ignore */
  override readonly name: string = "QueryCacheError";
  /** Makes an error that says what stands against it. */
  constructor(message: string, options?: ErrorOptions) {
    super("orm/not-cacheable", message, options);
  }
}
