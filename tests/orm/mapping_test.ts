import {
  deepStrictEqual,
  match,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  blob,
  columnProperty,
  Entity,
  integer,
  joinOn,
  manyToMany,
  manyToOne,
  mapper,
  mapperOf,
  MappingError,
  oneToMany,
  oneToOne,
  selectinload,
  stateOf,
  text,
  timestamp,
} from "../../orm/mod.ts";
import { identityKey } from "../../orm/state.ts";
import {
  and,
  check,
  foreignKey,
  func,
  index,
  MetaData,
  select,
  table,
  unique,
} from "../../sql/mod.ts";
import { memory } from "./memory.ts";

// --- The contract's program ------------------------------------------------

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
abstract class OtherBase extends Base {
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
class Model3 extends OtherBase.table("model3", {}) {}

Deno.test("the mapping that the design shows: bases with tables of their own sets, columns, relations, methods", async () => {
  await using db = await memory(DefaultBase.metadata);
  await using session = db.session();
  const ed = new User({
    name: "ed",
    data: "x",
    manager: new User({ name: "boss" }),
    addresses: [new Address({ email: "ed@example.com" })],
  });
  strictEqual(ed.greet(), "hello, ed");
  strictEqual(db.sent.length, 0);
  session.add(ed);
  await session.commit();

  strictEqual(String(ed), `User(id=${ed.id}, data=x)`);
  deepStrictEqual([...DefaultBase.metadata.tables.keys()].sort(), [
    "addresses",
    "users",
  ]);
  deepStrictEqual([...OtherBase.metadata.tables.keys()], ["model3"]);
  strictEqual(Model3.table.metadata, OtherBase.metadata);
  strictEqual(User.c.name, User.table.c.name);
  strictEqual(User.r.addresses.kind, "oneToMany");
  deepStrictEqual({ ...ed }, {
    name: "ed",
    data: "x",
    managerId: 1,
    id: 2,
  });
  deepStrictEqual(JSON.parse(JSON.stringify(ed)), { ...ed });
});

// --- Data Mapper -----------------------------------------------------------

Deno.test("mapper() leaves a plain class plain, and load never calls its constructor", async () => {
  const metadata = new MetaData();
  const tables = {
    people: table("people", metadata, {
      person_id: integer().primaryKey(),
      full_name: text(),
      secret: text().nullable(),
    }),
    pets: table("pets", metadata, {
      id: integer().primaryKey(),
      owner: integer().references("people.person_id"),
      name: text(),
    }),
  };
  let made = 0;
  let rebuilt = 0;
  class Person {
    declare id: number;
    declare pets: import("../../orm/mod.ts").Collection<Pet>;
    constructor(public name: string) {
      made++;
    }
  }
  class Pet {
    declare id: number;
    declare person: import("../../orm/mod.ts").Reference<Person>;
    constructor(public name: string) {}
  }
  const people = mapper(Person, tables.people, {
    properties: {
      id: tables.people.c.person_id,
      name: tables.people.c.full_name,
      pets: () => oneToMany(Pet, { backPopulates: "person" }),
      shout: columnProperty(() =>
        func<string>("upper", [tables.people.c.full_name])
      ),
    },
    // Those that properties name are mapped all the same.
    includeProperties: [],
    reconstructor: () => void rebuilt++,
  });
  mapper(Pet, tables.pets, {
    properties: { person: () => manyToOne(Person, { backPopulates: "pets" }) },
  });
  strictEqual(Object.getPrototypeOf(Person.prototype), Object.prototype);
  await using db = await memory(metadata);

  await using writer = db.session();
  const ann = new Person("ann");
  ann.pets.add(new Pet("rex"));
  writer.add(ann);
  await writer.commit();
  strictEqual(ann.id, 1);
  ann.name = "anne";
  await writer.commit();
  match(
    db.statements.find((sql) => sql.startsWith("UPDATE")) ?? "",
    /UPDATE "people" SET "full_name" = \?/,
  );

  made = 0;
  await using reader = db.session();
  const found = await reader.get(Person, 1);
  const [again] = await reader.scalars(
    select(tables.people).where(
      tables.people.c.person_id.eq(1),
    ),
  );
  deepStrictEqual(again, { person_id: 1, full_name: "anne", secret: null });
  const [same] = await reader.scalars(
    select(people).where(people.c.shout.like("A%")).options(
      selectinload(people.r.pets),
    ),
  );
  strictEqual(same, found);
  strictEqual(same?.name, "anne");
  // What the query loaded can be read without waiting, of a plain class too.
  strictEqual(same?.pets.at(0)?.name, "rex");
  strictEqual(made, 0);
  strictEqual(rebuilt, 1);
  strictEqual(found instanceof Person, true);
  deepStrictEqual({ ...found }, { id: 1, name: "anne", shout: "ANNE" });
  strictEqual((await found!.pets.load()).at(0)?.name, "rex");
});

Deno.test("a declarative class's reconstructor is called for each object made from a row, in place of its constructor", async () => {
  let constructed = 0;
  class Shape extends Entity.table("shapes", {
    id: integer().primaryKey(),
    side: integer(),
  }, {
    reconstructor: (shape) => {
      (shape as Shape).area = shape.side ** 2;
    },
  }) {
    area = 0;
    constructor(init: { side: number }) {
      super(init);
      this.area = this.side ** 2;
      constructed++;
    }
  }
  await using db = await memory(Shape.table.metadata);
  await using session = db.session();
  session.add(new Shape({ side: 3 }));
  await session.commit();
  await using other = db.session();
  const shapes = await other.scalars(select(Shape));
  await other.scalars(select(Shape));
  strictEqual(shapes[0]?.area, 9);
  strictEqual(constructed, 1);
});

Deno.test("a mapping takes a subset of the columns, and a primary key that only it knows", async () => {
  const metadata = new MetaData();
  const entries = table("entries", metadata, {
    day: text(),
    slot: integer(),
    note: text().nullable(),
    ignored: text().nullable(),
  });
  class Entry {
    note: string | null = null;
    constructor(readonly day: string, readonly slot: number) {}
  }
  throws(() => mapper(Entry, entries), {
    name: "MappingError",
    message: /Cannot map Entry to table "entries": it has no primary key/,
  });
  throws(() => mapper(Entry, entries, { includeProperties: ["dya"] }), {
    message: /no column "dya"; it has "day", "slot", "note", "ignored"/,
  });
  mapper(Entry, entries, {
    includeProperties: ["day", "slot", "note"],
    primaryKey: [entries.c.day, entries.c.slot],
  });
  throws(() => mapper(Entry, entries, { primaryKey: [entries.c.day] }), {
    message: "Cannot map Entry: it is mapped already",
  });
  await using db = await memory(metadata);
  await using session = db.session();
  session.add(new Entry("mon", 1));
  session.add(new Entry("mon", 2));
  await session.commit();
  await using other = db.session();
  const second = await other.get(Entry, ["mon", 2]);
  second!.note = "lunch";
  await other.commit();
  deepStrictEqual([
    ...await db.engine.execute(
      select({ s: entries.c.slot, n: entries.c.note }),
    ),
  ], [{ s: 1, n: null }, { s: 2, n: "lunch" }]);
  match(
    db.statements.findLast((sql) => sql.includes("UPDATE")) ?? "",
    /"day" = \? AND .*"slot" = \?/,
  );
});

Deno.test("attributes may be called otherwise than their columns", async () => {
  class Row extends Entity.table("rows", {
    id: integer().named("row_id").primaryKey(),
    label: text().named("row_label"),
  }) {}
  await using db = await memory(Row.table.metadata);
  await using session = db.session();
  session.add(new Row({ label: "a" }));
  await session.commit();
  strictEqual((await session.scalars(select(Row)))[0]?.label, "a");
  match(db.statements[0] ?? "", /"row_label"/);
});

Deno.test("unmapped mixins and abstract bases stand between Entity and a class", () => {
  // deno-lint-ignore no-explicit-any -- what TypeScript wants of a mixin's base
  function named<C extends abstract new (...args: any[]) => { name: string }>(
    base: C,
  ) {
    abstract class Named extends base {
      shout(): string {
        return `${this.name.toUpperCase()}!`;
      }
    }
    return Named;
  }
  abstract class WithName extends Entity.with({
    id: integer().primaryKey(),
    name: text(),
  }) {}
  class Thing extends named(WithName).table("things", { size: integer() }) {}

  const thing = new Thing({ name: "box", size: 3 });

  strictEqual(thing.shout(), "BOX!");
  deepStrictEqual(Object.keys(Thing.table.c), ["id", "name", "size"]);
  strictEqual(stateOf(thing).status, "transient");
});

Deno.test("constraints, indexes and options stand in the third argument of table()", async () => {
  class Seat extends Entity.table("seats", {
    hall: integer().primaryKey(),
    nr: integer().primaryKey(),
    price: integer(),
    code: text(),
  }, {
    constraints: (c) => [
      check(c.price.gt(0), "price_positive"),
      unique(["hall", "code"]),
      index("ix_price", ["price"]),
    ],
    comment: "where people sit",
  }) {}
  class Ticket extends Entity.table("tickets", {
    id: integer().primaryKey(),
    hall: integer(),
    nr: integer(),
    seat: () => manyToOne(Seat),
  }, {
    constraints: [foreignKey(["hall", "nr"], ["seats.hall", "seats.nr"])],
  }) {
    static override metadata = Seat.table.metadata;
  }
  void Ticket;
  strictEqual(Seat.table.options.comment, "where people sit");
  await using db = await memory(Seat.table.metadata);
  await using session = db.session();
  session.add(new Seat({ hall: 1, nr: 1, price: -1, code: "a" }));
  await rejects(session.commit(), { code: "sql/check-violation" });
});

// --- Identity --------------------------------------------------------------

Deno.test("identities are equal for equal keys, however they are written", () => {
  class Doc extends Entity.table("docs", {
    id: integer().primaryKey(),
  }) {}
  class Log extends Entity.table("logs", {
    at: timestamp().primaryKey(),
    hash: blob().primaryKey(),
  }) {}
  const doc = mapperOf(Doc);
  const log = mapperOf(Log);
  const at = new Date(1_700_000_000_123);

  strictEqual(identityKey(doc, [1]), identityKey(doc, [1n]));
  strictEqual(identityKey(doc, [1]), identityKey(doc, ["1"]));
  strictEqual(
    identityKey(log, [at, new Uint8Array([1, 2])]),
    identityKey(log, [new Date(at), Uint8Array.of(1, 2)]),
  );
  strictEqual(
    identityKey(log, [at, new Uint8Array([1, 2])]) ===
      identityKey(log, [new Date(+at + 1), Uint8Array.of(1, 2)]),
    false,
  );
  strictEqual(
    identityKey(log, ["a,b", "c"]) === identityKey(log, ["a", "b,c"]),
    false,
  );
});

// --- Deferred configuration ------------------------------------------------

Deno.test("a relation that does not fit is found at first use, and every later use says the same", () => {
  class Parent extends Entity.table("parents", {
    id: integer().primaryKey(),
    children: () => oneToMany(Child, { backPopulates: "mother" }),
    name: text(),
  }) {}
  class Child extends Entity.table("children", {
    id: integer().primaryKey(),
    parentId: integer().references("parents.id"),
    parent: () => manyToOne(Parent, { backPopulates: "children" }),
  }) {}
  const message =
    'Cannot relate Parent.children: Child has no "mother" that leads back; it has "parent"';
  let first: unknown;
  try {
    Parent.r.children;
  } catch (error) {
    first = error;
  }
  strictEqual(first instanceof MappingError, true);
  strictEqual((first as Error).message, message);
  let second: unknown;
  try {
    new Parent({ name: "a", children: [] });
  } catch (error) {
    second = error;
  }
  strictEqual(second, first);
});

Deno.test("errors of a mapping name the class, the relation and what there is", () => {
  class A extends Entity.table("a", {
    id: integer().primaryKey(),
    bId: integer().references("b.id"),
    b2Id: integer().references("b.id"),
    ambiguous: () => manyToOne(B),
  }) {}
  class A2 extends Entity.table("a2", {
    id: integer().primaryKey(),
    bId: integer().references("b.id"),
    wrongKey: () => manyToOne(B, { foreignKeys: ["nope"] }),
  }) {}
  class A3 extends Entity.table("a3", {
    id: integer().primaryKey(),
    none: () => oneToMany(B),
  }) {}
  class A4 extends Entity.table("a4", {
    id: integer().primaryKey(),
    plain: () => manyToOne(class Plain {}),
  }) {}
  class A5 extends Entity.table("a5", {
    id: integer().primaryKey(),
    bId: integer().references("b.id"),
    b: () => manyToOne(B, { cascade: "everything" }),
  }) {}
  class A6 extends Entity.table("a6", {
    id: integer().primaryKey(),
    bId: integer().references("b.id"),
    b: () => manyToOne(B, { cascade: "all, delete-orphan" }),
  }) {}
  class A7 extends Entity.table("a7", {
    id: integer().primaryKey(),
    bs: () => manyToMany(B, { secondary: table("x", new MetaData(), {}) }),
  }) {}
  class B extends Entity.table("b", { id: integer().primaryKey() }) {}
  const about = (use: () => unknown, message: RegExp) =>
    throws(use, { name: "MappingError", code: "orm/mapping", message });

  about(
    () => A.r.ambiguous,
    /A\.ambiguous: 2 foreign keys lead from "a" to "b" \("bId", "b2Id"\); give .*foreignKeys/,
  );
  about(
    () => A2.r.wrongKey,
    /A2\.wrongKey: no foreign keys of "nope" lead from "a2" to "b" \("bId"\)/,
  );
  about(() => A3.r.none, /A3\.none: no foreign keys lead from "b" to "a3"/);
  about(() => A4.r.plain, /A4\.plain: .*Plain: it is not mapped/);
  about(
    () => A5.r.b,
    /A5\.b: there is no cascade "everything", but "save-update", "merge", "delete", .*"delete-orphan", "all"/,
  );
  about(
    () => A6.r.b,
    /A6\.b: with delete-orphan the object may have no other owner: set singleParent/,
  );
  about(() => A7.r.bs, /A7\.bs: no foreign keys lead from "x" to "a7"/);
  throws(() => Entity.table("c", { x: 5 as never }), {
    message: /Cannot describe "x" of table "c"/,
  });
  throws(() => stateOf({}), {
    name: "MappingError",
    message: /Cannot use Object: it is not mapped/,
  });
});

// --- Relations -------------------------------------------------------------

Deno.test("several ways to one class are told apart by their keys, and by a join of one's own", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Person extends Base.table("people", {
    homeId: integer().references("places.id").nullable(),
    workId: integer().references("places.id").nullable(),
    home: () =>
      manyToOne(Place, { foreignKeys: ["homeId"], backPopulates: "residents" }),
    work: () => manyToOne(Place, { foreignKeys: ["workId"] }),
    bigTags: () =>
      oneToMany(Tag, {
        viewOnly: true,
        primaryJoin: joinOn(() =>
          and(Tag.c.personId.eq(Person.c.id), Tag.c.size.gt(5))
        ),
        orderBy: () => Tag.c.size.desc(),
      }),
    tags: () => oneToMany(Tag),
  }) {}
  class Place extends Base.table("places", {
    name: text(),
    residents: () =>
      oneToMany(Person, { foreignKeys: ["homeId"], backPopulates: "home" }),
  }) {}
  class Tag extends Base.table("tags", {
    personId: integer().references("people.id"),
    size: integer(),
  }) {}
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const [home, work] = [new Place({ name: "h" }), new Place({ name: "w" })];
  const person = new Person({
    home,
    work,
    tags: [3, 6, 9].map((size) => new Tag({ size })),
  });
  strictEqual(home.residents.isLoaded, true);
  session.add(person);
  await session.commit();
  deepStrictEqual([person.homeId, person.workId], [home.id, work.id]);

  await using reader = db.session();
  const [found] = await reader.scalars(
    select(Person).options(
      selectinload(Person.r.bigTags),
      selectinload(Person.r.work),
    ),
  );
  deepStrictEqual([...found!.bigTags].map((tag) => tag.size), [9, 6]);
  strictEqual(found!.work.value?.name, "w");
  const lazily = await (await reader.get(Person, person.id))!.bigTags.load();
  strictEqual(lazily.length, 2);
  const joined = await reader.execute(
    select({ size: Tag.c.size }).from(Person).join(Person.r.bigTags),
  );
  deepStrictEqual(joined.map((row) => row.size).sort(), [6, 9]);
});

Deno.test("orm 76: a view-only relation neither writes nor cascades", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Owner extends Base.table("owners", {
    name: text(),
    seen: () => oneToMany(Part, { viewOnly: true, backPopulates: "owner" }),
  }) {}
  class Part extends Base.table("parts", {
    ownerId: integer().references("owners.id").nullable(),
    owner: () => manyToOne(Owner),
  }) {}
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const part = new Part({});
  session.add(new Owner({ name: "o", seen: [part] }));
  strictEqual(await part.owner.load(), null);
  strictEqual(session.has(part), false);
  await session.commit();
  strictEqual((await session.scalars(select(Part))).length, 0);
});

Deno.test("orm 54: composite keys, an association object and one-to-one", async () => {
  abstract class Base extends Entity {
    static override metadata = new MetaData();
  }
  class Student extends Base.table("students", {
    id: integer().primaryKey(),
    name: text(),
    enrolments: () =>
      oneToMany(Enrolment, {
        backPopulates: "student",
        cascade: "all, delete-orphan",
      }),
    card: () => oneToOne(Card, { backPopulates: "student" }),
  }) {}
  class Course extends Base.table("courses", {
    faculty: text().primaryKey(),
    nr: integer().primaryKey(),
    title: text(),
    enrolments: () => oneToMany(Enrolment, { backPopulates: "course" }),
  }) {}
  class Enrolment extends Base.table("enrolments", {
    studentId: integer().primaryKey().references("students.id"),
    faculty: text().primaryKey(),
    nr: integer().primaryKey(),
    grade: integer().nullable(),
    student: () => manyToOne(Student, { backPopulates: "enrolments" }),
    course: () => manyToOne(Course, { backPopulates: "enrolments" }),
  }, {
    constraints: [
      foreignKey(["faculty", "nr"], ["courses.faculty", "courses.nr"]),
    ],
  }) {}
  class Card extends Base.table("cards", {
    id: integer().primaryKey(),
    studentId: integer().unique().references("students.id").nullable(),
    student: () => manyToOne(Student, { backPopulates: "card" }),
  }) {}
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const maths = new Course({ faculty: "science", nr: 7, title: "maths" });
  const student = new Student({
    name: "sue",
    enrolments: [new Enrolment({ course: maths, grade: 1 })],
    card: new Card({}),
  });
  session.add(student);
  await session.commit();
  strictEqual(db.sent.length, 1);

  await using reader = db.session();
  const enrolment = await reader.get(Enrolment, [student.id, "science", 7]);
  strictEqual(enrolment?.grade, 1);
  strictEqual((await enrolment!.course.load())?.title, "maths");
  const found = await reader.get(Student, student.id);
  const card = await found!.card.load();
  strictEqual(card?.student.isLoaded, true);
  strictEqual(
    (await (await reader.get(Course, ["science", 7]))!.enrolments.load())
      .at(0),
    enrolment,
  );
});

Deno.test("orm 105: one-to-one takes the first of several rows, and warns", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Student extends Base.table("students", {
    name: text(),
    card: () => oneToOne(Card, { backPopulates: "student" }),
  }) {}
  class Card extends Base.table("cards", {
    studentId: integer().references("students.id").nullable(),
    student: () => manyToOne(Student, { backPopulates: "card" }),
  }) {}
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const student = new Student({ name: "sue", card: new Card({}) });
  session.add(student);
  await session.commit();
  session.add(new Card({ studentId: student.id }));
  await session.commit();
  const warnings: string[] = [];
  await using lazily = db.session({
    warn: (message) => warnings.push(message),
  });
  const found = (await lazily.get(Student, student.id))!;
  strictEqual((await found.card.load())?.id, 1);
  await using eagerly = db.session({
    warn: (message) => warnings.push(message),
  });
  const [again] = await eagerly.scalars(
    select(Student).options(selectinload(Student.r.card)),
  );
  strictEqual(again!.card.value?.id, 1);
  deepStrictEqual(
    warnings,
    Array(2).fill(
      "Student.card found 2 objects where one belongs; the first is taken",
    ),
  );
});

Deno.test("many-to-many to its own class, both ways", async () => {
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Member extends Base.table("members", {
    name: text(),
    following: () =>
      manyToMany(Member, {
        secondary: follows,
        foreignKeys: ["followerId"],
        backPopulates: "followers",
      }),
    followers: () =>
      manyToMany(Member, {
        secondary: follows,
        foreignKeys: ["followedId"],
        backPopulates: "following",
      }),
  }) {}
  const follows = table("follows", Base.metadata, {
    followerId: integer().primaryKey().references("members.id"),
    followedId: integer().primaryKey().references("members.id"),
  });
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const star = new Member({ name: "star" });
  const fans = ["a", "b"].map((name) =>
    new Member({ name, following: [star] })
  );
  strictEqual([...await star.followers.load()].length, 2);
  session.addAll(fans);
  await session.commit();

  await using reader = db.session();
  const [found] = await reader.scalars(
    select(Member).where(Member.c.name.eq("star")).options(
      selectinload(Member.r.followers),
      selectinload(Member.r.following),
    ),
  );
  deepStrictEqual([...found!.followers].map((fan) => fan.name).sort(), [
    "a",
    "b",
  ]);
  strictEqual(found!.following.length, 0);
});

Deno.test("orm 63, 64: nothing and objects of another class are refused; those of a subclass are not", () => {
  class Special extends Address {}
  const user = new User({ name: "ed" });
  throws(() => user.addresses.add(null as never), {
    name: "StateError",
    message: /Cannot put null into User\.addresses: it takes Address/,
  });
  throws(() => user.addresses.add(new User({ name: "x" }) as never), {
    message: /Cannot put User into User\.addresses: it takes Address/,
  });
  throws(() => user.manager.set(new Address({ email: "a" }) as never), {
    message: /Cannot put Address into User\.manager: it takes User/,
  });
  throws(() => new Address({ email: "a", user: {} as never }), {
    message: /Cannot put Object into Address\.user/,
  });
  strictEqual([...(user.addresses as never as Iterable<Address>)].length, 0);
  user.addresses.add(new Special({ email: "s" }));
});
