/**
 * Placeholder, replaced by the backend.
 *
 * @module
 */
export {};
