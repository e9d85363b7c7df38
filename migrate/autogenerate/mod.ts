/**
 * Writes revisions from what the metadata say and what is there.
 *
 * | question | file |
 * | --- | --- |
 * | What differs, and in which order is it set right? | `compare.ts`, `table_comparison.ts`, `compare/`, `arrange.ts` |
 * | Who takes part in a comparison, and what is left out? | `comparator.ts`, `filter.ts`, `matching.ts` |
 * | What is said differently by databases? | `dialects.ts`, `sql_text.ts` |
 * | Was it renamed? | `renames.ts`, `rename_operations.ts` |
 * | How is what was found changed before it is written? | `rewriter.ts`, `settings.ts` |
 * | How do operations look as source? | `render.ts`, `render_change.ts`, `render_column.ts`, `source.ts` |
 * | How are they told to people? | `describe.ts` |
 *
 * @module
 */
export { autogenerate, type AutogenerateOptions } from "./autogenerate.ts";
export {
  type Comparator,
  type CompareContext,
  type Side,
  STOP,
  type TablePair,
} from "./comparator.ts";
export { compareMetadata, compareTables, type Comparison } from "./compare.ts";
export { describeOperations } from "./describe.ts";
export type { ComparisonDialect } from "./dialects.ts";
export type { Filter } from "./filter.ts";
export type * from "./options.ts";
export {
  decideFrom,
  type RenameAnswer,
  type RenameQuestion,
  RenameUndecidedError,
} from "./renames.ts";
export {
  type RenderedOperations,
  renderOperations,
  type RenderOptions,
} from "./render.ts";
export type { RenderedItem } from "./render_column.ts";
export type { Imports } from "./source.ts";
export {
  type Peer,
  type Rewritable,
  type Rewrite,
  Rewriter,
  type Visited,
} from "./rewriter.ts";
export type { AutogenerateSettings, RevisionDraft } from "./settings.ts";
