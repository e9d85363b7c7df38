/**
 * The revision graph: pure data and pure functions, no database and no files.
 *
 * | question | file |
 * |---|---|
 * | What is a revision, a head, a branch point? | `node.ts` |
 * | How is a set of revisions loaded and checked? | `revision_map.ts`, `validation.ts`, `dependencies.ts`, `branches.ts` |
 * | What does `head`, `ae10`, `label@head` mean? | `identifiers.ts` |
 * | What does `+2`, `head-1`, `label@-1` mean? | `targets.ts` |
 * | Which revisions run, in which order? | `paths.ts`, `traversal.ts` |
 * | What happens to the rows of the version table? | `heads.ts`, `stamping.ts` |
 *
 * @module
 */
export * from "./node.ts";
export * from "./revision_map.ts";
export * from "./identifiers.ts";
export * from "./targets.ts";
export * from "./paths.ts";
export * from "./traversal.ts";
export * from "./heads.ts";
export * from "./stamping.ts";
