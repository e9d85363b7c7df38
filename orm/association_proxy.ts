import type { Collection, LoadedCollection, Reference } from "./types.ts";

/**
 * One attribute of related objects, seen as a collection of its values: of
 * association objects, the objects on their far side.
 */
export interface AssociationProxy<T> {
  /** Loads the related objects, if they are not there. */
  load(): Promise<AssociationProxy<T>>;
  /** Adds values; for each, the creator makes a related object. */
  add(...values: T[]): void;
  /** Removes a value along with the related object that has it. */
  remove(value: T): void;
  /** Replaces the values by others; related objects of values that stay, stay. */
  set(values: Iterable<T>): void;
  /** Whether a value is among them. */
  has(value: T): boolean;
  /** How many there are. */
  readonly length: number;
  /** The values as an array of their own. */
  toArray(): T[];
  /** The values in the order of the related objects. */
  [Symbol.iterator](): Iterator<T>;
}

/** What a proxy shows of an attribute: its value, or the object of a reference. */
export type ProxiedValue<V> = V extends Reference<infer T> ? T : V;

/**
 * Sees the objects of a relation by one of their attributes. Write it as a
 * getter of the class.
 *
 * @example
 * ```ts
 * import { associationProxy, Entity, integer, oneToMany, text } from "@aludel/aludel/orm";
 * import type { AssociationProxy } from "@aludel/aludel/orm";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * class User extends Entity.table("users", {
 *   id: integer().primaryKey(),
 *   emails: () => oneToMany(Email, { cascade: "all, delete-orphan" }),
 * }) {
 *   get addresses(): AssociationProxy<string> {
 *     return associationProxy(
 *       this.emails,
 *       "address",
 *       (address) => new Email({ address }),
 *     );
 *   }
 * }
 * class Email extends Entity.table("emails", {
 *   id: integer().primaryKey(),
 *   userId: integer().references("users.id"),
 *   address: text(),
 * }) {}
 *
 * const user = new User({});
 * user.addresses.add("ed@example.com");
 * deepStrictEqual(user.addresses.toArray(), ["ed@example.com"]);
 * ```
 *
 * @param relation The collection of related objects.
 * @param attribute The attribute: a column, or a reference whose object is meant.
 * @param create Makes a related object for a new value.
 */
export function associationProxy<T, K extends keyof T & string>(
  relation: Collection<T>,
  attribute: K,
  create: (value: ProxiedValue<T[K]>) => T,
): AssociationProxy<ProxiedValue<T[K]>> {
  return new Proxied(
    relation as LoadedCollection<T>,
    attribute,
    create as (value: unknown) => T,
  ) as AssociationProxy<ProxiedValue<T[K]>>;
}

class Proxied<T> implements AssociationProxy<unknown> {
  readonly #relation: LoadedCollection<T>;
  readonly #attribute: keyof T;
  readonly #create: (value: unknown) => T;

  constructor(
    relation: LoadedCollection<T>,
    attribute: keyof T,
    create: (value: unknown) => T,
  ) {
    this.#relation = relation;
    this.#attribute = attribute;
    this.#create = create;
  }

  async load(): Promise<this> {
    await this.#relation.load();
    return this;
  }
  add(...values: unknown[]): void {
    this.#relation.add(...values.map(this.#create));
  }
  remove(value: unknown): void {
    const item = this.#relation.toArray().find((one) =>
      this.#valueOf(one) === value
    );
    if (item !== undefined) this.#relation.remove(item);
  }
  set(values: Iterable<unknown>): void {
    const wanted = new Set(values);
    const present = this.toArray();
    for (const value of present) if (!wanted.has(value)) this.remove(value);
    for (const value of wanted) if (!present.includes(value)) this.add(value);
  }
  has(value: unknown): boolean {
    return this.toArray().includes(value);
  }
  get length(): number {
    return this.#relation.length;
  }
  toArray(): unknown[] {
    return this.#relation.toArray().map((one) => this.#valueOf(one));
  }
  [Symbol.iterator](): Iterator<unknown> {
    return this.toArray()[Symbol.iterator]();
  }
  toJSON(): unknown {
    return this.toArray();
  }
  #valueOf(item: T): unknown {
    const value: unknown = item[this.#attribute];
    return isReference(value) ? value.value : value;
  }
}

function isReference(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && "isLoaded" in value &&
    "value" in value;
}
