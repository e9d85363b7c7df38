import type { Dialect, Limits, NamingConvention } from "../../sql/mod.ts";
import type { DataMigration } from "../data_migration.ts";
import type { MigrationDialect } from "../dialects/implementation.ts";
import { AppliedRevisions, type HeadChange } from "../graph/heads.ts";
import { type Identifier, ids } from "../graph/identifiers.ts";
import type { RevisionNode } from "../graph/node.ts";
import { downgradePath, upgradePath } from "../graph/paths.ts";
import type { RevisionMap } from "../graph/revision_map.ts";
import { stampSteps } from "../graph/stamping.ts";
import { checksumOf } from "../operations/checksum.ts";
import type { Operation } from "../operations/operation.ts";
import type { Revision, RevisionContext } from "../revision.ts";
import type { SchemaSnapshot } from "../schema/snapshot.ts";
import { refuseOverLimits, refuseWideTables } from "./limits.ts";
import { Recording } from "./recording.ts";
import { renderOperation, type StepStatement } from "./render.ts";
import type { PlannedStatement } from "./statement.ts";

/** Statements of a step that share a transaction, or one that has none. */
export interface Segment {
  /** Whether it runs outside any transaction. */
  readonly isOutside: boolean;
  /** The statements, in order; one where `isOutside`. */
  readonly statements: readonly PlannedStatement[];
  /** What is sent instead when it was interrupted before. */
  readonly again?: readonly PlannedStatement[];
}

/** One revision applied, undone, or declared to be there. */
export interface Step {
  /** The revision; for a stamp the one the rows arrive at, or leave. */
  readonly revision: string;
  /** What happens to it. */
  readonly direction: "upgrade" | "downgrade" | "stamp";
  /** The revisions it starts from, as people name them. */
  readonly from: readonly string[];
  /** The revisions it arrives at. */
  readonly to: readonly string[];
  /** One line for people. */
  readonly message: string | undefined;
  /** The version rows before it. */
  readonly headsBefore: readonly string[];
  /** What it does to the version rows. */
  readonly change: HeadChange;
  /** What it does; nothing for a stamp. */
  readonly operations: readonly Operation[];
  /** The same as statements. */
  readonly segments: readonly Segment[];
  /** Work on rows that belongs to it. */
  readonly data: DataMigration | undefined;
  /** Computes the digest of the revision's upgrade; `null` for a stamp. */
  readonly checksum: () => Promise<string | null>;
}

/** What a planner needs to know. */
export interface PlanOptions {
  /** The graph. */
  readonly map: RevisionMap<Revision>;
  /** The language. */
  readonly dialect: Dialect;
  /** What migrations must know of it. */
  readonly migrations: MigrationDialect;
  /** What the platform refuses. */
  readonly limits: Limits;
  /** What revisions may ask. */
  readonly context: RevisionContext;
  /** Names for constraints that are given none. */
  readonly naming?: NamingConvention;
}

/** Turns revisions into steps. Nothing is sent; equal input gives equal steps. */
export class Planner {
  readonly #options: PlanOptions;
  readonly #recording: Recording;
  readonly #plain: Recording;

  /** Plans for one engine. */
  constructor(options: PlanOptions) {
    const { map, dialect, context, naming } = options;
    this.#options = options;
    this.#recording = new Recording(map, dialect, context, naming);
    // A digest must not depend on the switches of one run.
    this.#plain = Object.keys(context.x).length === 0
      ? this.#recording
      : new Recording(map, dialect, { ...context, x: {} }, naming);
  }

  /** The digest of what a revision does. */
  checksum(node: RevisionNode<Revision>): Promise<string> {
    return checksumOf(this.#plain.upgrade(node), this.#options.dialect);
  }

  /** What a revision does. */
  operations(node: RevisionNode<Revision>): readonly Operation[] {
    return this.#recording.upgrade(node);
  }

  /**
   * What undoes a revision.
   *
   * @throws {OperationError} If nothing does.
   */
  undoing(
    node: RevisionNode<Revision>,
    applied: AppliedRevisions<Revision>,
  ): readonly Operation[] {
    return this.#recording.downgrade(node, applied);
  }

  /** The schema that the revisions up to the given rows have made. */
  schema(heads: readonly string[]): SchemaSnapshot {
    const applied = this.applied(heads);
    return this.#recording.schema((node) => applied.has(node));
  }

  /** The steps from the given rows up to a target. */
  upgrade(heads: readonly string[], target: Identifier): Step[] {
    const { map } = this.#options;
    const applied = new AppliedRevisions(map, heads);
    const schema = new RunningSchema(this.#recording, applied);
    const steps: Step[] = [];
    let headsBefore: readonly string[] = applied.heads;
    for (const node of upgradePath(map, heads, target)) {
      const operations = this.#recording.upgrade(node);
      const segments = this.#segments(node, operations, schema);
      const change = applied.upgrade(node);
      steps.push({
        revision: node.revision,
        direction: "upgrade",
        from: ids(node.downRevisions),
        to: [node.revision],
        message: node.declaration.message,
        headsBefore,
        change,
        operations,
        segments,
        data: node.declaration.data,
        checksum: () => this.checksum(node),
      });
      headsBefore = change.heads;
      schema.endStep();
    }
    return steps;
  }

  /** The steps from the given rows down to a target. */
  downgrade(heads: readonly string[], target: string | null): Step[] {
    const { map } = this.#options;
    const applied = new AppliedRevisions(map, heads);
    const steps: Step[] = [];
    for (const node of downgradePath(map, heads, target)) {
      const headsBefore = applied.heads;
      const operations = this.#recording.downgrade(node, applied);
      const schema = new RunningSchema(this.#recording, applied);
      const segments = this.#segments(node, operations, schema);
      steps.push({
        revision: node.revision,
        direction: "downgrade",
        from: [node.revision],
        to: ids(node.downRevisions),
        message: node.declaration.message,
        headsBefore,
        change: applied.downgrade(node),
        operations,
        segments,
        data: undefined,
        checksum: () => this.checksum(node),
      });
    }
    return steps;
  }

  /** The steps that write other rows and run nothing. */
  stamp(heads: readonly string[], targets: Identifier): Step[] {
    let rows: readonly string[] = [...heads].sort();
    return stampSteps(this.#options.map, heads, targets).map((step) => {
      const headsBefore = rows;
      rows = step.change.heads;
      return {
        revision: step.to[0] ?? step.from[0] ?? "",
        direction: "stamp",
        from: step.from,
        to: step.to,
        message: undefined,
        headsBefore,
        change: step.change,
        operations: [],
        segments: [],
        data: undefined,
        checksum: () => Promise.resolve(null),
      };
    });
  }

  /** The revisions that are applied, of which some have no row of their own. */
  applied(heads: readonly string[]): AppliedRevisions<Revision> {
    return new AppliedRevisions(this.#options.map, heads);
  }

  #segments(
    node: RevisionNode<Revision>,
    operations: readonly Operation[],
    schema: RunningSchema,
  ): Segment[] {
    const { dialect, migrations, limits, naming } = this.#options;
    refuseWideTables(operations, limits, node.revision);
    const statements: StepStatement[] = [];
    for (const operation of operations) {
      statements.push(
        ...renderOperation(operation, migrations, {
          dialect,
          limits,
          naming,
          schema: () => schema.now(),
        }),
      );
      schema.apply(operation);
    }
    refuseOverLimits(
      statements.map(({ statement }) => statement),
      limits,
      node.revision,
    );
    return group(statements);
  }
}

/** The schema at the present point of a plan, replayed only if it is asked for. */
class RunningSchema {
  readonly #recording: Recording;
  readonly #applied: AppliedRevisions<Revision>;
  #snapshot: SchemaSnapshot | undefined;
  /** Operations of the step under way, which `applied` does not know yet. */
  #pending: Operation[] = [];

  constructor(recording: Recording, applied: AppliedRevisions<Revision>) {
    this.#recording = recording;
    this.#applied = applied;
  }

  now(): SchemaSnapshot {
    if (!this.#snapshot) {
      this.#snapshot = this.#recording.schema((node) =>
        this.#applied.has(node)
      );
      for (const operation of this.#pending) this.#snapshot.apply(operation);
    }
    return this.#snapshot;
  }

  apply(operation: Operation): void {
    if (this.#snapshot) this.#snapshot.apply(operation);
    else this.#pending.push(operation);
  }

  /** From here on `applied` knows the step. */
  endStep(): void {
    this.#pending = [];
  }
}

function group(statements: readonly StepStatement[]): Segment[] {
  const segments: Segment[] = [];
  let together: PlannedStatement[] = [];
  const close = () => {
    if (together.length > 0) {
      segments.push({ isOutside: false, statements: together });
    }
    together = [];
  };
  for (const { statement, isOutside, again } of statements) {
    if (!isOutside) {
      together.push(statement);
      continue;
    }
    close();
    segments.push({
      isOutside,
      statements: [statement],
      ...(again ? { again } : {}),
    });
  }
  close();
  return segments;
}
