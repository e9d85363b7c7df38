import type { Column, RowSource } from "../../sql/mod.ts";
import { MappingError } from "../errors.ts";
import type { MakeObject, Mapper, Polymorphism } from "../mapper.ts";

/** The key under which a union says of which class a row is. */
export const WHICH = "~class";

const families = new WeakMap<Mapper, Family>();

/** A class and those that inherit from it in tables of their own. */
export class Family implements Polymorphism {
  /** Queries of the class alone need nothing to tell classes apart. */
  readonly columns: readonly Column<unknown>[] = [];
  /** New objects need nothing either: their table tells. */
  readonly initial: ReadonlyMap<Column<unknown>, unknown> = new Map();
  /** The classes by what a union calls them. */
  readonly members: Map<string, Mapper> = new Map();

  /** Adds a class. */
  add(identity: string | number, mapper: Mapper): void {
    const other = this.members.get(`${identity}`);
    if (other) {
      throw new MappingError(
        `Cannot inherit ${mapper.name}: its identity "${identity}" is that of ${other.name}; choose another`,
      );
    }
    this.members.set(`${identity}`, mapper);
  }

  /** Has each row of a union made into an object of the class that it names. */
  rows(
    source: RowSource,
    make: (mapper: Mapper, columns: RowSource["columns"]) => MakeObject,
  ): MakeObject {
    const { columns, owner } = source;
    const at = columns.findIndex(({ key }) => key === WHICH);
    if (at < 0) return make(owner as Mapper, columns);
    const makers = new Map<unknown, MakeObject>();
    for (const [identity, mapper] of this.members) {
      const keys = mapper.allColumns.map(({ key }) => key);
      const places = [...columns.keys()].filter((i) =>
        keys.includes(columns[i]?.key ?? "")
      );
      const maker = make(mapper, places.map((i) => columns[i] as never));
      makers.set(
        identity,
        (row, start) => maker(places.map((i) => row[start + i]), 0),
      );
    }
    return (row, start) => makers.get(row[start + at])?.(row, start) ?? null;
  }
}

/** The family of a class. */
export function familyOf(base: Mapper): Family {
  let family = families.get(base);
  if (!family) {
    families.set(base, family = new Family());
    family.add(base.table.name, base);
    base.polymorphism ??= family;
  }
  return family;
}
