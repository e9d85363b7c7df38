import { leavesOut } from "../absence.ts";
import {
  Column,
  type ColumnSpec,
  type Compiler,
  type Expression,
  type FromClause,
  text,
} from "../../sql/mod.ts";
import type { AttributeSpec } from "../attribute.ts";
import type { Mapper } from "../mapper.ts";
import { moved } from "../_moved.ts";
import type { Deferred } from "../types.ts";

/** Settings of a {@linkcode columnProperty}. */
export interface ColumnPropertyOptions {
  /** Whether it is left out of queries until it is asked for; a name makes it one of a group. @default {false} */
  readonly deferred?: boolean | string;
  /** Whether a commit that writes the row makes the value unknown, since it may have changed. @default {true} */
  readonly expireOnFlush?: boolean;
}

/** The name of a group, empty where there is none. */
export type GroupName<Group> = Group extends string ? Group : "";

/** An expression that stands where a column of a class does. */
export class PropertyColumn<T> extends Column<T> {
  /** What the database computes. */
  readonly expression: Expression<T>;

  /** Use {@linkcode columnProperty}. */
  constructor(
    key: string,
    from: FromClause,
    expression: Expression<T>,
    options: ColumnPropertyOptions,
    spec: ColumnSpec = {
      type: expression.type ?? text().spec.type,
      nullable: true,
      primaryKey: false,
      info: {
        deferred: options.deferred,
        isKept: options.expireOnFlush === false,
      },
    },
  ) {
    super(key, spec, from);
    this.expression = expression;
  }
  /** The same, computed over another name of the class's table. */
  at(from: FromClause): PropertyColumn<T> {
    if (from === this.table) return this;
    return new PropertyColumn(
      this.key,
      from,
      moved(this.expression, new Map([[this.table, from]])),
      {},
      this.spec,
    );
  }
  override get kind(): string {
    return "columnProperty";
  }
  override get precedence(): number {
    return this.expression.precedence;
  }
  override structure(): readonly unknown[] {
    return [this.expression, this.name];
  }
  override compile(compiler: Compiler): void {
    compiler.visit(this.expression);
  }
}

/**
 * An attribute that the database computes whenever an object is loaded. It is
 * not there before, nor after a commit that wrote the row.
 *
 * @example
 * ```ts
 * import { columnProperty, Entity, integer, text } from "@aludel/aludel/orm";
 * import { concat, select } from "@aludel/aludel/sql";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   first: text(),
 *   last: text(),
 * }, {
 *   attributes: (user) => ({
 *     fullName: columnProperty(() => concat(user.c.first, user.c.last)),
 *   }),
 * }) {}
 * select(User).where(User.c.fullName.like("ed%"));
 * ```
 *
 * @param expression What is computed; asked for when every class is there.
 */
export function columnProperty<T, const Group extends string | true>(
  expression: () => Expression<T>,
  options: ColumnPropertyOptions & { readonly deferred: Group },
): AttributeSpec<T, Column<T>, false, never> & Deferred<GroupName<Group>>;
/** The same, loaded with every query. */
export function columnProperty<T>(
  expression: () => Expression<T>,
  options?: ColumnPropertyOptions & { readonly deferred?: false },
): AttributeSpec<T, Column<T>, false, never>;
export function columnProperty<T>(
  expression: () => Expression<T>,
  options: ColumnPropertyOptions = {},
): AttributeSpec<T, Column<T>, false, never> {
  leavesOut();
  const made = new WeakMap<Mapper, PropertyColumn<T>>();
  const column = (mapper: Mapper, key: string): PropertyColumn<T> => {
    const { inherits: base, parts } = mapper;
    // What a class inherits is the same column.
    if (base && base.parts.attributes?.[key] === parts.attributes?.[key]) {
      return column(base, key);
    }
    let found = made.get(mapper);
    if (!found) {
      found = new PropertyColumn(key, mapper.table, expression(), options);
      made.set(mapper, found);
    }
    return found;
  };
  return {
    attribute: true,
    column,
    expression: (_, mapper, key, from) => column(mapper, key).at(from),
  };
}
