/**
 * Placeholder face, replaced by the room.
 *
 * @module
 */
export {};
