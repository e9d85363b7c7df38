/**
 * Conformance suites.
 *
 * @module
 */
export {};
