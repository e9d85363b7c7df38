/**
 * Aludel: a cache with a dogpile lock, an ORM with a Unit of Work, and
 * migrations as a graph, for Cloudflare Workers and Deno.
 *
 * This face holds nothing but the map: import the room you need, so that a
 * Worker bundles only that.
 *
 * | question | room |
 * | --- | --- |
 * | How do I cache a value so that one caller creates it? | `@aludel/aludel/cache` |
 * | How do I write SQL, and on which engines? | `@aludel/aludel/sql` |
 * | How do I map classes, save graphs, route sessions? | `@aludel/aludel/orm` |
 * | How do I change a schema over time? | `@aludel/aludel/migrate` |
 * | How do I reach D1, KV, Postgres, Redis? | `@aludel/aludel/backends/*` |
 * | How do I prove a backend of my own? | `@aludel/aludel/testing` |
 *
 * @module
 */

/** The version of this package. */
export const VERSION: string = "0.1.0";
