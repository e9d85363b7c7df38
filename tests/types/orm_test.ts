/**
 * What the mapper's types infer without an annotation, and what they refuse.
 * Everything here also runs.
 */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  asSet,
  type Collection,
  composite,
  Entity,
  hybrid,
  integer,
  json,
  keyedBy,
  type LoadedReference,
  manyToMany,
  manyToOne,
  NotLoadedError,
  oneToMany,
  oneToOne,
  orderingList,
  type Reference,
  selectinload,
  synonym,
  text,
  timestamp,
  versionId,
  writeOnly,
} from "../../orm/mod.ts";
import {
  count,
  type Expression,
  MetaData,
  plus,
  type Select,
  select,
  table,
} from "../../sql/mod.ts";
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
abstract class OtherBase extends Base {
  static override metadata = new MetaData();
}

class User extends DefaultBase.table("users", {
  name: text(50),
  bio: text().nullable(),
  managerId: integer().references("users.id").nullable(),
  manager: () => manyToOne(User),
  addresses: () => oneToMany(Address, { backPopulates: "user" }),
}) {
  greet() {
    return `hi ${this.name}`;
  }
}
class Address extends DefaultBase.table("addresses", {
  email: text(),
  userId: integer().references("users.id").nullable(),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
class Model3 extends OtherBase.table("model3", {}) {}
class Loop extends DefaultBase.table("loops", {
  parentId: integer().references("loops.id").nullable(),
  parent: () => manyToOne(Loop, { backPopulates: "children" }),
  children: () => oneToMany(Loop, { backPopulates: "parent" }),
}) {}

Deno.test("columns, nullability and methods are inferred, of abstract bases too", () => {
  const user = new User({
    name: "ed",
    addresses: [new Address({ email: "q" })],
  });
  new Model3({ data: "m" });
  same<typeof user.name, string>(true);
  same<typeof user.bio, string | null>(true);
  same<typeof user.id, number>(true);
  same<typeof user.data, string | null>(true);
  same<typeof user.addresses, Collection<Address>>(true);
  same<typeof user.manager, Reference<User>>(true);
  same<ReturnType<typeof user.greet>, string>(true);
  strictEqual(user.greet(), "hi ed");
});

Deno.test("a constructor takes what its table needs, and nothing else", () => {
  new User({ name: "ed", manager: new User({ name: "boss" }), bio: null });
  new Address({ email: "a", user: null });
  // @ts-expect-error a column that may not be NULL and has no default is needed
  void (() => new User({}));
  // @ts-expect-error a column takes values of its type
  void (() => new User({ name: 5 }));
  // @ts-expect-error a column that may not be NULL takes no null
  void (() => new User({ name: null }));
  // @ts-expect-error what is not described is not taken
  void (() => new User({ name: "ed", nome: "x" }));
  // @ts-expect-error a relation takes objects of its class
  void (() => new User({ name: "ed", addresses: [new User({ name: "x" })] }));
  // @ts-expect-error a relation to one object takes no list
  void (() => new Address({ email: "a", user: [] }));
  // @ts-expect-error an abstract base makes no objects
  void (() => new DefaultBase({}));
});

Deno.test("conditions take values of their column's type", () => {
  User.c.name.eq("ed");
  User.c.id.in([1]);
  User.c.bio.eq(null);
  User.c.managerId.eq(User.c.id);
  // @ts-expect-error a text column is not compared with a number
  void (() => User.c.name.eq(5));
  // @ts-expect-error nor is a number among texts
  void (() => User.c.id.in(["1"]));
  // @ts-expect-error what is not described is no column
  void (() => User.c.nome);
  // @ts-expect-error a relation is no column
  void (() => User.c.addresses);
  // @ts-expect-error a column is no relation
  void (() => User.r.name);
  strictEqual(User.r.addresses.key, "addresses");
  same<typeof User.r.addresses.key, "addresses">(true);
});

Deno.test("what is not loaded cannot be read; what a query loads can, at every depth", async () => {
  await using db = await memory(DefaultBase.metadata);
  await using session = db.session();
  const boss = new User({ name: "boss" });
  session.add(
    new User({
      name: "ed",
      manager: boss,
      addresses: [new Address({ email: "q" })],
    }),
  );
  session.add(new Loop({ children: [new Loop({ children: [new Loop({})] })] }));
  await session.commit();

  await using reader = db.session();
  const plain = await reader.get(User, 2);
  same<typeof plain, User | null>(true);
  // @ts-expect-error a collection is iterable only when it is loaded
  const unread = () => [...plain!.addresses];
  // @ts-expect-error a reference has a value only when it is loaded
  const unseen = () => plain!.manager.value;
  let refused = 0;
  for (const read of [unread, unseen]) {
    try {
      read();
    } catch (error) {
      refused += Number(error instanceof NotLoadedError);
    }
  }
  strictEqual(refused, 2);

  await using other = db.session();
  const rows = await other.scalars(
    select(User).where(User.c.name.like("e%")).options(
      selectinload(User.r.addresses, selectinload(Address.r.user)),
      selectinload(User.r.manager),
    ),
  );
  for (const row of rows) {
    row.greet();
    for (const address of row.addresses) {
      same<typeof address.email, string>(true);
      strictEqual(address.user.value?.name, "ed");
    }
    strictEqual(row.manager.value?.name, "boss");
    strictEqual(row.addresses.length, 1);
    // @ts-expect-error what lies below what was loaded is not loaded by itself
    void (() => row.manager.value?.addresses.length);
  }
  const loops = await other.scalars(
    select(Loop).where(Loop.c.parentId.eq(null)).options(
      selectinload(Loop.r.children, selectinload(Loop.r.children)),
    ),
  );
  for (const loop of loops) {
    for (const child of loop.children) {
      for (const grandchild of child.children) {
        same<typeof grandchild.id, number>(true);
        // @ts-expect-error two levels were asked for, this is the third
        void (() => grandchild.children.length);
      }
    }
  }
  for (const address of await plain!.addresses.load()) {
    const user = await address.user.load();
    same<typeof user, User | null>(true);
    user?.greet();
  }
});

Deno.test("rows are typed by what is selected", async () => {
  await using db = await memory(DefaultBase.metadata);
  await using session = db.session();
  session.add(
    new User({ name: "ed", addresses: [new Address({ email: "q" })] }),
  );
  await session.commit();
  const [record] = await session.scalars(
    select({ n: User.c.name, i: User.c.id, b: User.c.bio }),
  );
  same<typeof record, { n: string; i: number; b: string | null } | undefined>(
    true,
  );
  const [tuple] = await session.execute(select(User, Address.c.email));
  same<typeof tuple, [User, string] | undefined>(true);
  const [one] = await session.execute(select(count(User.c.id)));
  same<typeof one, number | undefined>(true);
  const query = select(User).where(User.c.id.gt(0)).orderBy(User.c.name);
  query satisfies Select<User>;
  const [users, emails] = await session.batch(
    select(User),
    select(Address.c.email),
  );
  same<typeof users[number], User>(true);
  same<typeof emails[number], string>(true);
  deepStrictEqual([...emails], ["q"]);
  strictEqual((await session.first(query))?.greet(), "hi ed");
});

class Point {
  constructor(readonly x: number, readonly y: number) {}
}
abstract class Shapes extends Entity {
  static override metadata = new MetaData();
}
class Place extends Shapes.table("places", {
  id: integer().primaryKey(),
  x: integer(),
  y: integer(),
  at: composite(Point, "x", "y"),
  z: integer().nullable(),
  deep: composite(Point, "x", "z").nullable(),
  doc: json<{ tags: string[] }>().default(() => ({ tags: [] })),
  made: timestamp().default(() => new Date(0)),
  version: versionId(),
  notes: () => keyedBy(oneToMany(Note), (note) => note.title),
  tags: () => asSet(manyToMany(Tag, { secondary: placeTags })),
  steps: () => orderingList(oneToMany(Note), "position"),
  log: () => writeOnly(oneToMany(Note, { passiveDeletes: true })),
  sign: () => oneToOne(Sign, { backPopulates: "place" }),
}, {
  constraints: (c) => [{ kind: "check", sql: c.x.gt(-1) }],
  attributes: (place) => ({
    column: synonym(place.c.x),
    distance: hybrid(
      place,
      (self) => Math.abs(self.x) + Math.abs(self.y),
      (c) => plus(c.x, c.y),
    ),
    isFar: hybrid(place, (self) => self.x > 100),
  }),
}) {}
class Note extends Shapes.table("notes", {
  id: integer().primaryKey(),
  title: text(),
  position: integer().nullable(),
  placeId: integer().references("places.id").nullable(),
}) {}
class Tag extends Shapes.table("tags", { id: integer().primaryKey() }) {}
class Sign extends Shapes.table("signs", {
  id: integer().primaryKey(),
  placeId: integer().references("places.id").nullable(),
  place: () => manyToOne(Place, { backPopulates: "sign" }),
}) {}
const placeTags = table("place_tags", Shapes.metadata, {
  placeId: integer().primaryKey().references("places.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

Deno.test("attributes of other kinds and collections of other kinds are inferred", async () => {
  const place = new Place({ at: new Point(1, 2) });
  new Place({ x: 1, y: 2, deep: null });
  same<typeof place.at, Point>(true);
  same<typeof place.deep, Point | null>(true);
  same<typeof place.doc, { tags: string[] }>(true);
  same<typeof place.made, Date>(true);
  same<typeof place.version, number>(true);
  same<typeof place.column, number>(true);
  same<typeof place.distance, number>(true);
  same<typeof place.isFar, boolean>(true);
  Place.c.distance satisfies Expression<number>;
  Place.c.at.eq(new Point(1, 2));
  // @ts-expect-error a composite is compared with its value objects
  void (() => Place.c.at.eq(5));
  // @ts-expect-error what only objects have is nothing in SQL
  void (() => Place.c.isFar.eq(true));
  // @ts-expect-error a hybrid without a setter is not given to a constructor
  void (() => new Place({ at: new Point(1, 2), distance: 5 }));

  const notes = await place.notes.load();
  notes.add(new Note({ title: "a" }));
  same<ReturnType<typeof notes.get>, Note | undefined>(true);
  strictEqual(notes.get("a")?.title, "a");
  // @ts-expect-error the keys of this map are texts
  void (() => notes.get(5));
  const tags = await place.tags.load();
  same<ReturnType<typeof tags.toSet>, Set<Tag>>(true);
  const steps = await place.steps.load();
  steps.insert(0, new Note({ title: "s" }));
  // @ts-expect-error a write-only collection is not loaded
  void (() => place.log.load());
  const query = () => place.log.select();
  same<ReturnType<typeof query>, Select<Note>>(true);
  const sign = await place.sign.load();
  same<typeof sign, Sign | null>(true);
});

Deno.test("what a loader gives a row keeps the kind of collection", async () => {
  await using db = await memory(Shapes.metadata);
  await using session = db.session();
  session.add(
    new Place({ at: new Point(1, 2), notes: [new Note({ title: "a" })] }),
  );
  await session.commit();
  await using reader = db.session();
  const [place] = await reader.scalars(
    select(Place).options(
      selectinload(Place.r.notes),
      selectinload(Place.r.tags),
      selectinload(Place.r.sign),
    ),
  );
  strictEqual(place!.notes.get("a")?.title, "a");
  strictEqual(place!.tags.size, 0);
  strictEqual(place!.sign.value, null);
  same<
    typeof place extends { sign: LoadedReference<Sign> } | undefined ? 1 : 2,
    1
  >(
    true,
  );
});
