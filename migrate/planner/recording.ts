import type { Dialect, NamingConvention } from "../../sql/mod.ts";
import type { AppliedRevisions } from "../graph/heads.ts";
import type { RevisionNode } from "../graph/node.ts";
import type { RevisionMap } from "../graph/revision_map.ts";
import { topologicalSort } from "../graph/traversal.ts";
import type { Operation } from "../operations/operation.ts";
import { IrreversibleError } from "../operations/errors.ts";
import { expanded } from "../operations/expand.ts";
import { reverseOperations } from "../operations/reverse.ts";
import {
  recordDowngrade,
  recordUpgrade,
  type Revision,
  type RevisionContext,
} from "../revision.ts";
import { SchemaSnapshot } from "../schema/snapshot.ts";

/** Records revisions, each once, and replays them into a schema. */
export class Recording {
  readonly #map: RevisionMap<Revision>;
  readonly #dialect: Dialect;
  readonly #context: RevisionContext;
  readonly #naming: { readonly naming?: NamingConvention };
  /** What each revision's upgrade has recorded. */
  readonly #upgrades = new Map<RevisionNode<Revision>, readonly Operation[]>();

  /** Records for one engine and one set of switches. */
  constructor(
    map: RevisionMap<Revision>,
    dialect: Dialect,
    context: RevisionContext,
    naming?: NamingConvention,
  ) {
    this.#map = map;
    this.#dialect = dialect;
    this.#context = context;
    this.#naming = naming ? { naming } : {};
  }

  /** What a revision's upgrade does. */
  upgrade(node: RevisionNode<Revision>): readonly Operation[] {
    let operations = this.#upgrades.get(node);
    if (!operations) {
      operations = expanded(this.#recorded(node), this.#dialect);
      this.#upgrades.set(node, operations);
    }
    return operations;
  }

  /** The same with operations of one's own as they are. */
  #recorded(node: RevisionNode<Revision>): readonly Operation[] {
    return recordUpgrade(node.declaration, this.#context, this.#naming);
  }

  /** What a revision's downgrade does, reversed from its upgrade if it says so. */
  downgrade(
    node: RevisionNode<Revision>,
    applied: AppliedRevisions<Revision>,
  ): readonly Operation[] {
    const recorded = recordDowngrade(
      node.declaration,
      this.#context,
      this.#naming,
    );
    if (recorded !== "reverse") return expanded(recorded, this.#dialect);
    const before = this.schema((other) => other !== node && applied.has(other));
    try {
      return expanded(
        reverseOperations(this.#recorded(node), before, this.#dialect),
        this.#dialect,
      );
    } catch (error) {
      if (!(error instanceof IrreversibleError)) throw error;
      throw new IrreversibleError(
        `Cannot downgrade revision '${node.revision}': ${error.message}`,
        { cause: error },
      );
    }
  }

  /** The schema that the chosen revisions have made. */
  schema(isApplied: (node: RevisionNode<Revision>) => boolean): SchemaSnapshot {
    const snapshot = new SchemaSnapshot(this.#dialect);
    const applied = new Set(this.#map.nodes.filter(isApplied));
    for (const node of topologicalSort(applied).reverse()) {
      for (const operation of this.upgrade(node)) snapshot.apply(operation);
    }
    return snapshot;
  }
}
