/**
 * The errors of the migration room: one root, leaves by what the caller would
 * do about them.
 *
 * @module
 */

/**
 * The root of every error this room throws.
 *
 * @example Telling a migration problem from any other
 * ```ts
 * import { createRevisionMap, MigrateError } from "@aludel/aludel/migrate";
 * import { throws } from "node:assert/strict";
 *
 * throws(
 *   () => createRevisionMap([{ revision: "a", downRevision: "a" }]),
 *   (error) => error instanceof MigrateError && error.code === "migrate/revision-cycle",
 * );
 * ```
 */
export class MigrateError extends Error {
  /** @ignore */
  override readonly name: string = "MigrateError";
  /** A stable identifier of the kind of failure, such as `"migrate/multiple-heads"`. */
  readonly code: string;

  /** @internal */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = `migrate/${code}`;
  }
}

/** A revision's own fields are wrong: an illegal id, a duplicate, a bad label. */
export class InvalidRevisionError extends MigrateError {
  /** @ignore */
  override readonly name = "InvalidRevisionError";
  /** The id as it was given. */
  readonly revision: string;

  /** @internal */
  constructor(revision: string, problem: string) {
    super("invalid-revision", `Cannot use revision '${revision}': ${problem}`);
    this.revision = revision;
  }
}

/** How a loop in the graph is closed. */
export type CycleKind =
  | "Self-loop"
  | "Cycle"
  | "Dependency self-loop"
  | "Dependency cycle";

/** Revisions follow each other in a circle, so none of them can be first. */
export class RevisionCycleError extends MigrateError {
  /** @ignore */
  override readonly name = "RevisionCycleError";
  /** Whether parents close the circle, or only `dependsOn`. */
  readonly kind: CycleKind;
  /** Every revision that can no longer be reached, sorted. */
  readonly revisions: readonly string[];

  /** @internal */
  constructor(kind: CycleKind, revisions: readonly string[]) {
    super(
      "revision-cycle",
      `Cannot order the revisions: ${kind} is detected in (${
        revisions.join(", ")
      }); mend their downRevision or dependsOn`,
    );
    this.kind = kind;
    this.revisions = revisions;
  }
}

/** A revision names a parent or a dependency that is not in the set. */
export class MissingParentError extends MigrateError {
  /** @ignore */
  override readonly name = "MissingParentError";
  /** The revision that names it. */
  readonly revision: string;
  /** The id or label that was not found. */
  readonly missing: string;
  /** The field it stands in. */
  readonly field: "downRevision" | "dependsOn";

  /** @internal */
  constructor(
    revision: string,
    missing: string,
    field: "downRevision" | "dependsOn",
  ) {
    super(
      "missing-parent",
      `Cannot load revision '${revision}': its ${field} '${missing}' is not among the revisions; add that file or correct the id`,
    );
    this.revision = revision;
    this.missing = missing;
    this.field = field;
  }
}

/** Two revisions carry the same branch label. */
export class DuplicateLabelError extends MigrateError {
  /** @ignore */
  override readonly name = "DuplicateLabelError";
  /** The label both claim. */
  readonly label: string;
  /** The two ids that claim it, in load order. */
  readonly revisions: readonly [string, string];

  /** @internal */
  constructor(label: string, revisions: readonly [string, string]) {
    super(
      "duplicate-label",
      `Cannot use branch label '${label}' in revision '${
        revisions[1]
      }': it is already used by revision '${revisions[0]}'; choose another`,
    );
    this.label = label;
    this.revisions = revisions;
  }
}

/** An identifier names no revision, no branch, or more than one. */
export class RevisionNotFoundError extends MigrateError {
  /** @ignore */
  override readonly name = "RevisionNotFoundError";
  /** The identifier as it was asked for. */
  readonly identifier: string;
  /** The ids it could have meant; empty when nothing matches. */
  readonly candidates: readonly string[];

  /** @internal */
  constructor(
    identifier: string,
    problem: string,
    candidates: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(
      candidates.length > 1 ? "ambiguous-revision" : "revision-not-found",
      `Cannot locate revision '${identifier}': ${problem}`,
      options,
    );
    this.identifier = identifier;
    this.candidates = candidates;
  }
}

/** One head was asked for where several are. */
export class MultipleHeadsError extends MigrateError {
  /** @ignore */
  override readonly name = "MultipleHeadsError";
  /** The identifier as it was asked for. */
  readonly argument: string;
  /** The heads it stands for. */
  readonly heads: readonly string[];

  /** @internal */
  constructor(argument: string, heads: readonly string[]) {
    super(
      "multiple-heads",
      `Cannot take '${argument}' as one revision: multiple heads are present (${
        heads.join(", ")
      }); name one of them, '<branch>@head', or 'heads' for all, or merge them`,
    );
    this.argument = argument;
    this.heads = heads;
  }
}

/** A relative identifier such as `+2` or `head-1` leads nowhere, or to several places. */
export class RelativeRevisionError extends MigrateError {
  /** @ignore */
  override readonly name = "RelativeRevisionError";
  /** The identifier as it was asked for. */
  readonly identifier: string;

  /** @internal */
  constructor(identifier: string, problem: string) {
    super(
      "relative-revision",
      `Cannot follow '${identifier}': ${problem}`,
    );
    this.identifier = identifier;
  }
}

/** Two ends of a range do not lie above each other as the request needs. */
export class RevisionRangeError extends MigrateError {
  /** @ignore */
  override readonly name = "RevisionRangeError";
  /** The upper end, as ids or as asked for. */
  readonly upper: readonly string[];
  /** The lower end, as ids or as asked for. */
  readonly lower: readonly string[];

  /** @internal */
  constructor(
    upper: readonly string[],
    lower: readonly string[],
    problem: string,
  ) {
    super("revision-range", problem);
    this.upper = upper;
    this.lower = lower;
  }
}

/** An operation that cannot be recorded, reversed or planned as it was asked for. */
export class OperationError extends MigrateError {
  /** @ignore */
  override readonly name: string = "OperationError";

  /** @internal */
  constructor(message: string, code = "operation", options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** An operation that has no inverse, because what it removes is not known. */
export class IrreversibleError extends OperationError {
  /** @ignore */
  override readonly name = "IrreversibleError";

  /** @internal */
  constructor(message: string) {
    super(message, "irreversible");
  }
}

/** A change that the database cannot make in place, and that may not be rebuilt. */
export class UnsupportedChangeError extends OperationError {
  /** @ignore */
  override readonly name = "UnsupportedChangeError";

  /** @internal */
  constructor(message: string) {
    super(message, "unsupported-change");
  }
}

/** A statement that the platform would refuse for its size. */
export class StatementLimitError extends MigrateError {
  /** @ignore */
  override readonly name = "StatementLimitError";
  /** The revision it belongs to. */
  readonly revision: string;
  /** What there is too much of. */
  readonly what: string;
  /** How much there is. */
  readonly actual: number;
  /** How much there may be. */
  readonly limit: number;
  /** The text, without values. */
  readonly sql: string;

  /** @internal */
  constructor(
    revision: string,
    what: string,
    actual: number,
    limit: number,
    sql: string,
  ) {
    super(
      "statement-limit",
      `Cannot plan revision '${revision}': '${
        sql.slice(0, 60)
      }…' has ${actual} ${what} and the database takes ${limit}; split it`,
    );
    this.revision = revision;
    this.what = what;
    this.actual = actual;
    this.limit = limit;
    this.sql = sql;
  }
}

/** The database holds a revision that is not in the set. */
export class UnknownVersionError extends MigrateError {
  /** @ignore */
  override readonly name = "UnknownVersionError";
  /** The rows that no revision bears. */
  readonly versions: readonly string[];
  /** The table they stand in. */
  readonly table: string;

  /** @internal */
  constructor(versions: readonly string[], table: string) {
    super(
      "unknown-version",
      `Cannot go on from '${
        versions.join(", ")
      }': table '${table}' names it and no revision does; bring the file back, or stamp or repair the database`,
    );
    this.versions = versions;
    this.table = table;
  }
}

/** Applied revisions do something else now than they did when they were applied. */
export class EditedRevisionError extends MigrateError {
  /** @ignore */
  override readonly name = "EditedRevisionError";
  /** The edited revisions. */
  readonly revisions: readonly string[];

  /** @internal */
  constructor(revisions: readonly string[]) {
    super(
      "edited-revision",
      `Cannot upgrade: applied revision(s) ${
        revisions.map((id) => `'${id}'`).join(", ")
      } were edited afterwards; undo the edit and write a new revision, allow it with allowEdited, or repair`,
    );
    this.revisions = revisions;
  }
}

/** A step failed. What its transaction held is undone. */
export class StepFailedError extends MigrateError {
  /** @ignore */
  override readonly name = "StepFailedError";
  /** The revision. */
  readonly revision: string;
  /** What was being done with it. */
  readonly direction: string;

  /** @internal */
  constructor(revision: string, direction: string, cause: unknown) {
    super(
      "step-failed",
      `Cannot ${direction} revision '${revision}': ${
        cause instanceof Error ? cause.message : String(cause)
      }`,
      { cause },
    );
    this.revision = revision;
    this.direction = direction;
  }
}

/** A step would leave rows that name rows which are not there. */
export class OrphanRowsError extends MigrateError {
  /** @ignore */
  override readonly name = "OrphanRowsError";
  /** The revision. */
  readonly revision: string;
  /** The tables, each as `child to parent`. */
  readonly tables: readonly string[];

  /** @internal */
  constructor(revision: string, tables: readonly string[], cause: unknown) {
    super(
      "orphan-rows",
      `Cannot apply revision '${revision}': rows would name others that are not there (${
        tables.join(", ")
      }); nothing was changed`,
      { cause },
    );
    this.revision = revision;
    this.tables = tables;
  }
}

/** Another runner changed the version table each time this one tried. */
export class HeadsMovedError extends MigrateError {
  /** @ignore */
  override readonly name = "HeadsMovedError";
  /** The rows that were expected. */
  readonly expected: readonly string[];
  /** The rows that were there. */
  readonly actual: readonly string[];
  /** The table they stand in. */
  readonly table: string;

  /** @internal */
  constructor(
    table: string,
    expected: readonly string[],
    actual: readonly string[],
  ) {
    super(
      "heads-moved",
      `Cannot apply the plan: table '${table}' holds ${actual.length} row(s) (${
        actual.join(", ") || "none"
      }) where (${
        expected.join(", ") || "none"
      }) was expected; try again, or repair a table with rows twice`,
    );
    this.expected = expected;
    this.actual = actual;
    this.table = table;
  }
}

/** A step of several parts is under way or was interrupted. */
export class StepRunningError extends MigrateError {
  /** @ignore */
  override readonly name = "StepRunningError";
  /** The revision. */
  readonly revision: string;
  /** Who has it. */
  readonly appliedBy: string;
  /** Until when, as ISO text. */
  readonly lockedUntil: string | null;

  /** @internal */
  constructor(revision: string, appliedBy: string, lockedUntil: string | null) {
    super(
      "step-running",
      `Cannot go on while revision '${revision}' is being applied by '${appliedBy}' (until ${lockedUntil}); wait, or repair if that runner is gone`,
    );
    this.revision = revision;
    this.appliedBy = appliedBy;
    this.lockedUntil = lockedUntil;
  }
}

/** A table is not as the revisions say, so rebuilding it would lose something. */
export class SchemaDriftError extends MigrateError {
  /** @ignore */
  override readonly name = "SchemaDriftError";
  /** The revision. */
  readonly revision: string;
  /** What was found. */
  readonly found: string;

  /** @internal */
  constructor(revision: string, found: string, cause: unknown) {
    super(
      "schema-drift",
      `Cannot apply revision '${revision}': ${found}, which the revisions do not say; write a revision that does, or give alterTable(…, { original: table(…) })`,
      { cause },
    );
    this.revision = revision;
    this.found = found;
  }
}

/** A table that is to be dropped is named by foreign keys of other tables. */
export class ReferredTableError extends MigrateError {
  /** @ignore */
  override readonly name = "ReferredTableError";
  /** The revision. */
  readonly revision: string;
  /** The table. */
  readonly table: string;
  /** Who refers to it, each as `table.column`. */
  readonly references: readonly string[];

  /** @internal */
  constructor(
    revision: string,
    table: string,
    references: readonly string[],
    cause: unknown,
  ) {
    super(
      "referred-table",
      `Cannot apply revision '${revision}': table '${table}' is to be dropped and ${
        references.join(", ")
      } refer(s) to it; drop or change those first, or their rows would go with it`,
      { cause },
    );
    this.revision = revision;
    this.table = table;
    this.references = references;
  }
}

/** A database does not hold every revision, so it says nothing about the next one. */
export class NotUpToDateError extends MigrateError {
  /** @ignore */
  override readonly name = "NotUpToDateError";
  /** The engine's name. */
  readonly engine: string;
  /** Revisions that are not applied, oldest first. */
  readonly pending: readonly string[];

  /** @internal */
  constructor(engine: string, pending: readonly string[]) {
    super(
      "not-up-to-date",
      `Cannot compare the model with engine '${engine}': Target database is not up to date, it lacks ${
        pending.join(", ")
      }; run 'upgrade heads' first`,
    );
    this.engine = engine;
    this.pending = pending;
  }
}
