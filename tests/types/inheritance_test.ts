/**
 * What the types of classes that inherit infer without an annotation, and what
 * they refuse. Everything here also runs.
 */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  type Collection,
  concrete,
  Entity,
  integer,
  joined,
  loadColumns,
  type LoadedCollection,
  manyToOne,
  NotLoadedError,
  oneToMany,
  polymorphicOn,
  selectinload,
  selectinPolymorphic,
  single,
  text,
  withPolymorphic,
} from "../../orm/mod.ts";
import { type Column, MetaData, select } from "../../sql/mod.ts";
import { memory } from "../orm/memory.ts";

/** Compiles only where two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;
function same<A, B>(_: Same<A, B>): void {}

abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  data: text(50).nullable(),
}) {
  override toString() {
    return `${this.constructor.name}(id=${this.id}, data=${this.data})`;
  }
}
abstract class DefaultBase extends Base {
  static override metadata = new MetaData();
}

class User extends DefaultBase.table("users", {
  name: text(50),
  managerId: integer().references("users.id").nullable(),
  manager: () => manyToOne(User),
  addresses: () =>
    oneToMany(Address, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
}) {
  greet() {
    return `hello, ${this.name}`;
  }
}
class Address extends DefaultBase.table("addresses", {
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
class Manager extends joined(User, "managers", {
  level: integer(),
  teams: () => oneToMany(Team, { backPopulates: "lead" }),
}, { identity: "manager" }) {
  boss() {
    return `${this.greet()} ${this.level} ${this.id}`;
  }
}
class Chief extends joined(Manager, "chiefs", { car: text() }, {
  identity: "chief",
}) {}
class Intern
  extends single(User, { school: text().nullable() }, { identity: "intern" }) {}
class Guest extends concrete(User, "guests", { room: integer() }, {
  identity: "guest",
}) {}
class Team extends DefaultBase.table("teams", {
  leadId: integer().references("managers.id"),
  lead: () => manyToOne(Manager, { backPopulates: "teams" }),
}) {}
class Shape extends DefaultBase.table("shapes", {
  kind: polymorphicOn(text(), { polymorphicAbstract: true }),
}) {}
class Circle extends single(Shape, { radius: integer() }, {
  identity: "circle",
  attributes: (circle) => {
    same<typeof circle.c.radius, Column<number>>(true);
    return {};
  },
}) {}

Deno.test("what a class inherits and what it adds are inferred", () => {
  const manager = new Manager({ name: "ed", level: 3, data: "d" });
  same<typeof manager.level, number>(true);
  same<typeof manager.name, string>(true);
  same<typeof manager.id, number>(true);
  same<typeof manager.data, string | null>(true);
  same<typeof manager.addresses, Collection<Address>>(true);
  same<typeof manager.teams, Collection<Team>>(true);
  same<ReturnType<typeof manager.boss>, string>(true);
  const user: User = manager;
  strictEqual(user.greet(), "hello, ed");

  const chief = new Chief({ name: "x", level: 9, car: "tank" });
  const above: Manager = chief;
  same<typeof chief.car, string>(true);
  strictEqual(above.level, 9);
  const intern = new Intern({ name: "i" });
  same<typeof intern.school, string | null>(true);
  const circle = new Circle({ radius: 2 });
  same<typeof circle.kind, string>(true);
  strictEqual(circle.kind, "circle");

  const guest = new Guest({ name: "g", room: 1 });
  same<typeof guest.room, number>(true);
  same<typeof guest.name, string>(true);
  strictEqual(guest.greet(), "hello, g");
});

Deno.test("columns and relations of a subclass are its own and its base's", () => {
  same<typeof Manager.c.level, Column<number>>(true);
  same<typeof Manager.c.name, Column<string>>(true);
  strictEqual(Manager.r.addresses.key, "addresses");
  strictEqual(Manager.r.teams.key, "teams");
  strictEqual(Intern.c.school.key, "school");
  strictEqual(Guest.c.room.key, "room");
  deepStrictEqual(Object.keys(Manager.table.c), ["id", "level"]);
  Manager.table.c.level.eq(1);
});

Deno.test("what does not fit does not compile", () => {
  // @ts-expect-error what the subclass needs is needed
  void (() => new Manager({ name: "ed" }));
  // @ts-expect-error and what its base needs
  void (() => new Manager({ level: 3 }));
  // @ts-expect-error a column takes values of its type
  void (() => new Chief({ name: "x", level: "9", car: "tank" }));
  // @ts-expect-error the base has not what a subclass adds
  void (() => User.c.level);
  // @ts-expect-error nor have its objects
  void ((user: User) => user.level);
  // @ts-expect-error a base's object is no object of a subclass
  void ((user: User): Manager => user);
  // @ts-expect-error relations stay where the base's table is
  void (() => Guest.r.addresses);
  // @ts-expect-error and with its objects
  void ((guest: Guest) => guest.addresses);
  // @ts-expect-error a relation takes objects of its class
  void (() => new Team({ lead: new User({ name: "x" }) }));
  // @ts-expect-error conditions take values of their column's type
  void (() => Manager.c.level.eq("3"));
});

Deno.test("rows of a base are of the base until they are asked what they are", async () => {
  await using db = await memory(DefaultBase.metadata);
  {
    await using session = db.session();
    session.add(
      new Manager({
        name: "ed",
        level: 3,
        addresses: [new Address({ email: "a" })],
        teams: [new Team({})],
      }),
    );
    session.add(new Intern({ name: "joe", school: "MIT" }));
    await session.commit();
  }
  await using session = db.session();
  const users = await session.scalars(
    select(User).orderBy(User.c.id).options(selectinload(User.r.addresses)),
  );
  const [ed] = users;
  same<
    typeof ed,
    (User & { readonly addresses: LoadedCollection<Address> }) | undefined
  >(true);
  if (!(ed instanceof Manager)) throw new TypeError("Expected a manager");
  same<typeof ed.level, number>(true);
  strictEqual(ed.addresses.length, 1);
  throws(() => ed.level, NotLoadedError);
  await loadColumns(session, ed, Manager.c.level);
  strictEqual(ed.boss(), "hello, ed 3 1");

  const managers = await session.scalars(
    select(Manager).where(Manager.c.level.gt(2)).options(
      selectinload(Manager.r.addresses),
      selectinload(Manager.r.teams),
    ),
  );
  strictEqual(managers[0]!.addresses.at(0)?.email, "a");
  strictEqual(managers[0]!.teams.length, 1);
  const got = await session.get(Manager, 1);
  same<typeof got, Manager | null>(true);

  const anyone = withPolymorphic(User, [Manager, Intern]);
  const [one] = await session.scalars(
    select(anyone).where(anyone.of(Manager).c.level.in([3])),
  );
  same<typeof one, User | undefined>(true);
  same<
    ReturnType<typeof anyone.of<typeof Intern>>["c"]["school"],
    Column<string | null>
  >(true);
  const typed = select(User).options(selectinPolymorphic(User, [Manager]));
  const rows = await session.scalars(typed);
  same<(typeof rows)[number], User>(true);
});
