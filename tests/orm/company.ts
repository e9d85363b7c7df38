import {
  Entity,
  integer,
  joined,
  manyToOne,
  oneToMany,
  polymorphicOn,
  text,
} from "../../orm/mod.ts";
import { MetaData } from "../../sql/mod.ts";

/** A company's people: a class with subclasses in tables of their own, two deep. */
export const company: MetaData = new MetaData();

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = company;
}

export class Company extends Base.table("companies", {
  title: text(),
  people: () => oneToMany(Person, { backPopulates: "company" }),
  managers: () => oneToMany(Manager, { viewOnly: true }),
}) {}

export class Person extends Base.table("people", {
  name: text(50),
  type: polymorphicOn(text(20), { identity: "person" }),
  companyId: integer().references("companies.id").nullable(),
  company: () => manyToOne(Company, { backPopulates: "people" }),
  notes: () =>
    oneToMany(Note, {
      backPopulates: "person",
      cascade: "all, delete-orphan",
    }),
}) {
  title(): string {
    return this.name;
  }
}

export class Manager extends joined(Person, "managers", {
  level: integer(),
  motto: text().nullable(),
  reports: () => oneToMany(Engineer, { backPopulates: "boss" }),
}, { identity: "manager" }) {
  override title(): string {
    return `${this.name}, head`;
  }
}

export class Engineer extends joined(Person, "engineers", {
  language: text(),
  bossId: integer().references("managers.id").nullable(),
  boss: () => manyToOne(Manager, { backPopulates: "reports" }),
}, { identity: "engineer" }) {}

export class Director extends joined(Manager, "directors", {
  car: text(),
}, { identity: "director" }) {}

export class Note extends Base.table("notes", {
  words: text(),
  personId: integer().references("people.id"),
  person: () => manyToOne(Person, { backPopulates: "notes" }),
}) {}

/** A director, a manager, two engineers and somebody else, in one company. */
export function staff(): Company {
  const wally = new Manager({ name: "wally", level: 2 });
  const notes = [new Note({ words: "late" })];
  return new Company({
    title: "acme",
    people: [
      new Person({ name: "pat" }),
      wally,
      new Engineer({ name: "dilbert", language: "C", boss: wally, notes }),
      new Engineer({ name: "alice", language: "Lisp", boss: wally }),
      new Director({ name: "dogbert", level: 9, car: "tank" }),
    ],
  });
}
