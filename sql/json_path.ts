import type { Compiler } from "./compiler.ts";
import { Bind, Expression, Phrase } from "./expression.ts";
import {
  BOOLEAN,
  INTEGER,
  JSON_DOCUMENT,
  JSON_PATH,
  REAL,
  TEXT,
} from "./standard_types.ts";
import type { SqlType } from "./types.ts";

/** A place inside a JSON document, to be read as one type or another. */
export class JsonPath<T = unknown> extends Expression<T> {
  /** The document. */
  readonly of: Expression<unknown>;
  /** Keys and indexes, as one parameter. */
  readonly path: Bind;
  /** As which type it is read; as JSON without one. */
  readonly as_: SqlType | undefined;
  /** Use {@linkcode jsonPath}. */
  constructor(of: Expression<unknown>, path: Bind, as?: SqlType) {
    super(as ?? JSON_DOCUMENT);
    this.of = of;
    this.path = path;
    this.as_ = as;
  }
  /** @ignore */
  override get kind(): string {
    return "jsonPath";
  }
  /** As text; NULL where it is not there or JSON's null. */
  asString(): Expression<string | null> {
    return this.#as(TEXT);
  }
  /** As a whole number. */
  asInteger(): Expression<number | null> {
    return this.#as(INTEGER);
  }
  /** As a number. */
  asReal(): Expression<number | null> {
    return this.#as(REAL);
  }
  /** As true or false. */
  asBoolean(): Expression<boolean | null> {
    return this.#as(BOOLEAN);
  }
  /** @ignore */
  override compile(compiler: Compiler): void {
    const { dialect } = compiler;
    const { as_ } = this;
    const type = as_ && dialect.rulesFor(as_).ddl(as_);
    if (type) compiler.write("CAST(");
    if (dialect.features.jsonType) {
      compiler.write("(");
      compiler.operand(this.of, 9);
      compiler.write(as_ ? " #>> " : " #> ");
      compiler.bind(this.path);
      compiler.write(")");
    } else if (as_) {
      compiler.write("json_extract(");
      compiler.visit(this.of);
      compiler.write(", ");
      compiler.bind(this.path);
      compiler.write(")");
    } else {
      compiler.write("(");
      compiler.operand(this.of, 9);
      compiler.write(" -> ");
      compiler.bind(this.path);
      compiler.write(")");
    }
    if (type) compiler.write(` AS ${type})`);
  }
  #as<V>(type: SqlType<V>): Expression<V | null> {
    return new JsonPath<V | null>(this.of, this.path, type);
  }
}

/**
 * A place inside a JSON column: keys and indexes, all of them bound.
 * `jsonPath(users.c.profile, "address", "city").asString()`.
 */
export function jsonPath(
  of: Expression<unknown>,
  ...path: readonly (string | number)[]
): JsonPath {
  return new JsonPath(of, new Bind(path, JSON_PATH));
}

/** JSON's own `null` as a value; `null` itself is SQL's NULL. */
export function jsonNull(): Expression<null> {
  return new Phrase(
    "jsonNull",
    [new Bind({ toJSON: () => null }, JSON_DOCUMENT)],
    JSON_DOCUMENT,
  );
}
