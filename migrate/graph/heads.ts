import { getRevisions } from "./identifiers.ts";
import type { RevisionDeclaration, RevisionNode } from "./node.ts";
import type { RevisionMap } from "./revision_map.ts";
import { ancestors } from "./traversal.ts";

/** What one step does to the rows of the version table. */
export interface HeadChange {
  /** Rows that go. */
  readonly deletes: readonly string[];
  /** The row that is rewritten, if one is. */
  readonly update?: { readonly from: string; readonly to: string };
  /** Rows that come. */
  readonly inserts: readonly string[];
  /** The rows after the change, sorted. */
  readonly heads: readonly string[];
}

/**
 * Follows the rows of the version table through a run.
 *
 * The rows are the uppermost of the applied revisions: a revision that another
 * applied one stands on, as its parent or its dependency, has no row. So an
 * upgrade covers rows (move, new branch, merge), and a downgrade uncovers them
 * (move, end of a branch, unmerge). Each step costs only its own edges.
 */
export class AppliedRevisions<
  R extends RevisionDeclaration = RevisionDeclaration,
> {
  /** The ids that have a row now. */
  readonly #rows: Set<string>;
  /** Applied revisions, and how many applied revisions stand on each. */
  readonly #covers: Map<RevisionNode<R>, number>;

  /**
   * Starts at what a database holds.
   *
   * @param map The graph.
   * @param heads The rows of the version table.
   * @throws {RevisionNotFoundError} If a row names no revision.
   */
  constructor(map: RevisionMap<R>, heads: readonly string[]) {
    const nodes = getRevisions(map, heads);
    this.#rows = new Set(nodes.map((node) => node.revision));
    this.#covers = new Map();
    for (const node of ancestors(nodes)) {
      this.#covers.set(node, this.#covers.get(node) ?? 0);
      for (const parent of node.allDownRevisions) {
        this.#covers.set(parent, (this.#covers.get(parent) ?? 0) + 1);
      }
    }
  }

  /** The rows of the version table, sorted. */
  get heads(): string[] {
    return [...this.#rows].sort();
  }

  /** Tells whether a revision is applied, with or without a row. */
  has(node: RevisionNode<R>): boolean {
    return this.#covers.has(node);
  }

  /** Records that a revision was applied. */
  upgrade(node: RevisionNode<R>): HeadChange {
    this.#covers.set(node, 0);
    for (const parent of node.allDownRevisions) {
      this.#covers.set(parent, (this.#covers.get(parent) ?? 0) + 1);
    }
    return this.#change(
      node.allDownRevisions.map((parent) => parent.revision),
      [node.revision],
    );
  }

  /** Records that a revision was undone. */
  downgrade(node: RevisionNode<R>): HeadChange {
    this.#covers.delete(node);
    const uncovered: string[] = [];
    for (const parent of node.allDownRevisions) {
      const count = (this.#covers.get(parent) ?? 1) - 1;
      this.#covers.set(parent, count);
      if (count === 0) uncovered.push(parent.revision);
    }
    return this.#change([node.revision], uncovered);
  }

  #change(gone: readonly string[], come: readonly string[]): HeadChange {
    return exchangeRows(this.#rows, gone, come);
  }
}

/**
 * Exchanges rows, rewriting one in place where one goes and another comes.
 *
 * @param rows The rows now; changed to the rows after.
 */
export function exchangeRows(
  rows: Set<string>,
  gone: readonly string[],
  come: readonly string[],
): HeadChange {
  const deletes = gone.filter((row) => rows.has(row) && !come.includes(row));
  const inserts = come.filter((row) => !rows.has(row));
  for (const row of deletes) rows.delete(row);
  for (const row of inserts) rows.add(row);
  const heads = [...rows].sort();
  const from = deletes.at(-1);
  const to = inserts.at(-1);
  if (from === undefined || to === undefined) {
    return { deletes, inserts, heads };
  }
  return {
    deletes: deletes.slice(0, -1),
    update: { from, to },
    inserts: inserts.slice(0, -1),
    heads,
  };
}
