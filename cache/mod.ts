/**
 * A cache region with a dogpile lock.
 *
 * @module
 */
export * from "./backend.ts";
export * from "./binary_codec.ts";
export * from "./codec.ts";
export * from "./configure_from_config.ts";
export * from "./create_region.ts";
export * from "./decorator.ts";
export * from "./duration.ts";
export * from "./envelope.ts";
export * from "./errors.ts";
export * from "./expiration.ts";
export * from "./hash.ts";
export * from "./invalidation.ts";
export * from "./key.ts";
export * from "./kwarg_key.ts";
export * from "./lock.ts";
export * from "./multi_decorator.ts";
export * from "./mutex.ts";
export * from "./no_value.ts";
export * from "./policy.ts";
export * from "./proxy.ts";
export * from "./region.ts";
export * from "./runner.ts";
export * from "./runtime.ts";
export * from "./shared_invalidation.ts";
export * from "./tiered.ts";
export * from "./trace.ts";
