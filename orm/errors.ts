/** What every error of this room has in common: a stable {@linkcode code}. */
export class OrmError extends Error {
  /** @ignore */
  override readonly name: string = "OrmError";
  /** A stable identifier, such as `"orm/not-loaded"`. */
  readonly code: string;

  /** Makes an error with a code and a message. */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A class, relation or option that does not fit together. */
export class MappingError extends OrmError {
  /** @ignore */
  override readonly name: string = "MappingError";
  /** Makes an error that names what does not fit. */
  constructor(message: string, options?: ErrorOptions) {
    super("orm/mapping", message, options);
  }
}

/** An attribute was read that nothing has loaded. */
export class NotLoadedError extends OrmError {
  /** @ignore */
  override readonly name: string = "NotLoadedError";
  /** The class. */
  readonly entity: string;
  /** The attribute. */
  readonly attribute: string;
  /** Makes an error that names the attribute and the remedy. */
  constructor(entity: string, attribute: string, remedy: string) {
    super(
      "orm/not-loaded",
      `Cannot read ${entity}.${attribute}: it is not loaded; ${remedy}`,
    );
    this.entity = entity;
    this.attribute = attribute;
  }
}

/** An object is in a state in which this cannot be done with it. */
export class StateError extends OrmError {
  /** @ignore */
  override readonly name: string = "StateError";
  /** Makes an error that names the object's class and state. */
  constructor(message: string, options?: ErrorOptions) {
    super("orm/state", message, options);
  }
}

/** The session is in a state in which this cannot be done with it. */
export class SessionError extends OrmError {
  /** @ignore */
  override readonly name: string = "SessionError";
}

/** A row was changed or removed by somebody else since it was loaded. */
export class StaleDataError extends OrmError {
  /** @ignore */
  override readonly name: string = "StaleDataError";
  /** The class of the stale object. */
  readonly entity: string;
  /** Its primary key. */
  readonly primaryKey: readonly unknown[];
  /** Makes an error that names the stale object. */
  constructor(
    entity: string,
    primaryKey: readonly unknown[],
    options?: ErrorOptions,
  ) {
    super(
      "orm/stale",
      `Cannot save ${entity}: its row was changed or deleted since it was loaded; roll back, load it again and repeat the change`,
      options,
    );
    this.entity = entity;
    this.primaryKey = primaryKey;
  }
}

/** Rows need each other in a circle that no order of statements can make. */
export class CircularDependencyError extends OrmError {
  /** @ignore */
  override readonly name: string = "CircularDependencyError";
  /** The names of what stands in the circle. */
  readonly cycle: readonly string[];
  /** Makes an error that names the circle. */
  constructor(cycle: readonly string[]) {
    super(
      "orm/circular-dependency",
      `Cannot order the changes: ${
        cycle.join(" → ")
      } need each other; set postUpdate on one of the relations`,
    );
    this.cycle = cycle;
  }
}

/** One engine kept its part of a commit, another refused its own. */
export class PartialCommitError extends OrmError {
  /** @ignore */
  override readonly name: string = "PartialCommitError";
  /** The engines that have committed. */
  readonly committed: readonly string[];
  /** The engine that failed. */
  readonly failed: string;
  /** Makes an error that names both. */
  constructor(
    committed: readonly string[],
    failed: string,
    options: ErrorOptions,
  ) {
    super(
      "orm/partial-commit",
      `Cannot finish the commit: engine "${failed}" failed after ${
        committed.map((name) => `"${name}"`).join(", ")
      } had committed; repair the committed part by hand or repeat the rest`,
      options,
    );
    this.committed = committed;
    this.failed = failed;
  }
}
