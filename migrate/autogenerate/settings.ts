import type { Operation } from "../operations/operation.ts";
import type { CompareOptions } from "./options.ts";
import type { RenderOptions } from "./render.ts";

/** How a command line compares metadata and writes revisions. */
export interface AutogenerateSettings
  extends
    Omit<CompareOptions, "naming" | "decideRename">,
    Pick<RenderOptions, "renderItem"> {
  /** Changes what was found before it is written, such as a {@linkcode Rewriter}. */
  readonly rewrite?: (operations: readonly Operation[]) => readonly Operation[];
}

/** A revision that is about to be written. */
export interface RevisionDraft {
  /** The id. */
  readonly revision: string;
  /** One line for people. */
  readonly message: string;
  /** What it stands on: ids, labels, `"head"`. */
  readonly head: readonly string[];
  /** Whether it may stand on a revision that others stand on. */
  readonly splice: boolean;
  /** Labels of the branch it begins. */
  readonly branchLabels: readonly string[];
  /** What must be there first without being merged. */
  readonly dependsOn: readonly string[];
  /** The version location it goes into; `undefined` for its parent's. */
  readonly versionPath: string | undefined;
  /** What it does to each engine, by name; empty where it is for people to write. */
  readonly operations: Readonly<Record<string, readonly Operation[]>>;
}
