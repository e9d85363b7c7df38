/**
 * Migrations: a graph of small revisions, each recorded as data.
 *
 * @module
 */
export * from "./errors.ts";
export {
  addRevisions,
  createRevisionMap,
  type RevisionMap,
  type RevisionSet,
} from "./graph/revision_map.ts";
export type { RevisionDeclaration, RevisionNode } from "./graph/node.ts";
