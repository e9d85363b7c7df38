/** What a revision says about its place in the graph. */
export interface RevisionDeclaration {
  /** The id: unique, without `@`, `-`, `+` or `:`. */
  readonly revision: string;
  /** The parent, several parents for a merge, or nothing for a base. */
  readonly downRevision?: string | readonly string[] | null;
  /**
   * Revisions of other branches, by id or label, that must be there first
   * without being merged.
   */
  readonly dependsOn?: string | readonly string[] | null;
  /** Names for the branch this revision starts. */
  readonly branchLabels?: string | readonly string[] | null;
  /** One line for people. */
  readonly message?: string;
}

/**
 * One revision in its graph, with every edge resolved.
 *
 * Nodes are made by `createRevisionMap()` and are not changed after it returns.
 *
 * @typeParam R The declaration the graph was built from.
 */
export interface RevisionNode<
  R extends RevisionDeclaration = RevisionDeclaration,
> {
  /** The id. */
  readonly revision: string;
  /** The position in load order: what ties are broken by. */
  readonly index: number;
  /** The declaration this node stands for. */
  readonly declaration: R;
  /** Parents by `downRevision`: none for a base, several for a merge. */
  readonly downRevisions: readonly RevisionNode<R>[];
  /** `dependsOn`, resolved. */
  readonly dependencies: readonly RevisionNode<R>[];
  /** `dependencies` without those an ancestor already brings. */
  readonly normalizedDependencies: readonly RevisionNode<R>[];
  /** Everything that must be there directly before this one, each once. */
  readonly allDownRevisions: readonly RevisionNode<R>[];
  /** Children by `downRevision`. */
  readonly nextRevisions: readonly RevisionNode<R>[];
  /** Children by `downRevision` or `dependsOn`. */
  readonly allNextRevisions: readonly RevisionNode<R>[];
  /** The labels of every branch this revision is on. */
  readonly branchLabels: ReadonlySet<string>;
}

/** The same node while the graph is built. */
export interface MutableNode<R extends RevisionDeclaration>
  extends RevisionNode<R> {
  downRevisions: MutableNode<R>[];
  dependencies: MutableNode<R>[];
  normalizedDependencies: MutableNode<R>[];
  allDownRevisions: MutableNode<R>[];
  nextRevisions: MutableNode<R>[];
  allNextRevisions: MutableNode<R>[];
  branchLabels: ReadonlySet<string>;
}

/** Tells whether no revision names this one as its parent. */
export function isHead(node: RevisionNode): boolean {
  return node.nextRevisions.length === 0;
}

/** Tells whether the revision has no parent. */
export function isBase(node: RevisionNode): boolean {
  return node.downRevisions.length === 0;
}

/** Tells whether several revisions name this one as their parent. */
export function isBranchPoint(node: RevisionNode): boolean {
  return node.nextRevisions.length > 1;
}

/** Tells whether the revision has several parents. */
export function isMergePoint(node: RevisionNode): boolean {
  return node.downRevisions.length > 1;
}

/** Reads a field that may be nothing, one name or several. */
export function names(
  field: string | readonly string[] | null | undefined,
): readonly string[] {
  if (field === null || field === undefined) return [];
  return typeof field === "string" ? [field] : field;
}
