import { MigrateError } from "../errors.ts";

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
