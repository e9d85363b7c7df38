import { MigrateError } from "../errors.ts";

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
      } were edited afterwards; undo the edit and write a new revision, allow it with allowEdited (--allow-edited), or repair`,
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
