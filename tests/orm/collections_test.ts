import {
  deepStrictEqual,
  rejects,
  strictEqual,
  throws,
} from "node:assert/strict";
import {
  any,
  asSet,
  type AssociationProxy,
  associationProxy,
  collectedIn,
  type CollectionFunction,
  Entity,
  historyOf,
  integer,
  keyedBy,
  type LoadedCollection,
  ManyHandle,
  manyToMany,
  manyToOne,
  oneToMany,
  orderingList,
  selectinload,
  text,
  writeOnly,
} from "../../orm/mod.ts";
import { MetaData, select, table } from "../../sql/mod.ts";
import { memory } from "./memory.ts";

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class User extends Base.table("users", {
  name: text(),
  addresses: () =>
    oneToMany(Address, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
  notes: () =>
    keyedBy(
      oneToMany(Note, { backPopulates: "user", cascade: "all, delete-orphan" }),
      (note) => note.keyword,
    ),
  tags: () => asSet(manyToMany(Tag, { secondary: userTags })),
  slides: () =>
    orderingList(
      oneToMany(Slide, {
        cascade: "all, delete-orphan",
        orderBy: () => Slide.c.position,
      }),
      "position",
    ),
  entries: () => writeOnly(oneToMany(Entry, { passiveDeletes: true })),
  userKeywords: () =>
    oneToMany(UserKeyword, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
}) {
  get keywords(): AssociationProxy<string> {
    return associationProxy(
      this.userKeywords,
      "word",
      (word) => new UserKeyword({ word }),
    );
  }
  get topics(): AssociationProxy<Topic | null> {
    return associationProxy(
      this.userKeywords,
      "topic",
      (topic) => new UserKeyword({ word: topic?.title ?? "", topic }),
    );
  }
}
class Address extends Base.table("addresses", {
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
class Note extends Base.table("notes", {
  keyword: text().nullable(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "notes" }),
}) {}
class Tag extends Base.table("tags", { label: text() }) {}
class Slide extends Base.table("slides", {
  title: text(),
  position: integer().nullable(),
  userId: integer().references("users.id"),
}) {}
class Entry extends Base.table("entries", {
  amount: integer(),
  userId: integer().references("users.id", { onDelete: "cascade" }),
}) {}
class Topic extends Base.table("topics", { title: text() }) {}
class UserKeyword extends Base.table("user_keywords", {
  word: text(),
  userId: integer().references("users.id"),
  topicId: integer().references("topics.id").nullable(),
  user: () => manyToOne(User, { backPopulates: "userKeywords" }),
  topic: () => manyToOne(Topic),
}) {}
const userTags = table("user_tags", Base.metadata, {
  userId: integer().primaryKey().references("users.id"),
  tagId: integer().primaryKey().references("tags.id"),
});
const address = (email: string) => new Address({ email });

Deno.test("orm 95: both sides are kept in step in memory without SQL; what is not loaded keeps its changes until it is", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const [a, b] = [address("a"), address("b")];
  const user = new User({ name: "ed", addresses: [a] });
  strictEqual(a.user.isLoaded, true);
  b.user.set(user);
  deepStrictEqual((await user.addresses.load()).toArray(), [a, b]);
  session.add(user);
  await session.commit();

  await using other = db.session({ autoflush: false });
  const again = (await other.get(User, user.id))!;
  const gone = (await other.get(Address, a.id))!;
  db.reset();
  const fresh = address("c");
  fresh.user.set(again);
  again.addresses.remove(gone);
  strictEqual(db.sent.length, 0);
  strictEqual(again.addresses.isLoaded, false);
  await again.addresses.load();
  strictEqual(db.sent.length, 1);
  const [first, second] = (await again.addresses.load()).toArray();
  strictEqual(first!.email, "b");
  strictEqual(second, fresh);
  await other.commit();
  deepStrictEqual(
    [...await other.execute(select(Address.c.email).orderBy(Address.c.id))],
    ["b", "c"],
  );

  again.addresses.add(address("forgotten"));
  again.addresses.remove(fresh);
  await other.rollback();
  deepStrictEqual(
    (await again.addresses.load()).toArray().map(({ email }) => email),
    ["b", "c"],
  );
});

Deno.test("orm 96: a child that moves leaves the loaded collection of its former owner; one that is not loaded is let be", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const one = new User({ name: "1", addresses: [address("a"), address("b")] });
  const two = new User({ name: "2" });
  session.addAll([one, two]);
  const [a] = (await one.addresses.load()).toArray();
  two.addresses.add(a!);
  deepStrictEqual(
    (await one.addresses.load()).toArray().map(({ email }) => email),
    ["b"],
  );
  await session.commit();

  await using other = db.session({ autoflush: false });
  const [former, next] = [
    (await other.get(User, one.id))!,
    (await other.get(User, two.id))!,
  ];
  const b = (await other.get(Address, 2))!;
  db.reset();
  next.addresses.add(b);
  strictEqual(former.addresses.isLoaded, false);
  strictEqual(db.sent.length, 0);
  await other.commit();
  strictEqual((await former.addresses.load()).length, 0);
});

Deno.test("orm 97, 99: replacing a collection keeps its members, adds before it removes; an object is in it once", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const [a, b, c] = ["a", "b", "c"].map(address) as [Address, Address, Address];
  const user = new User({ name: "ed", addresses: [a, b, a] });
  user.addresses.add(a);
  strictEqual((await user.addresses.load()).length, 2);
  session.add(user);
  await session.commit();
  user.addresses.set([b, c, c]);
  deepStrictEqual(historyOf(user, "addresses"), {
    added: [c],
    unchanged: [b],
    deleted: [a],
  });
  await session.commit();
  deepStrictEqual(
    [...await session.execute(select(Address.c.email).orderBy(Address.c.id))],
    ["b", "c"],
  );
});

Deno.test("orm 98: a collection may be a set or a map by key", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const user = new User({
    name: "ed",
    tags: [new Tag({ label: "x" }), new Tag({ label: "y" })],
    notes: [new Note({ keyword: "k1" }), new Note({ keyword: "k2" })],
  });
  throws(() => user.notes.add(new Note({})), {
    name: "StateError",
    message: /Cannot put Note into User\.notes: its key is not set/,
  });
  session.add(user);
  await session.commit();

  await using reader = db.session();
  const [found] = await reader.scalars(
    select(User).options(
      selectinload(User.r.tags),
      selectinload(User.r.notes),
    ),
  );
  strictEqual(found!.tags.size, 2);
  strictEqual(found!.tags.toSet() instanceof Set, true);
  const { notes } = found!;
  deepStrictEqual([...notes.keys()], ["k1", "k2"]);
  strictEqual(notes.get("k1")?.keyword, "k1");
  const replacement = new Note({ keyword: "k1" });
  notes.add(replacement);
  strictEqual(notes.get("k1"), replacement);
  strictEqual(notes.length, 2);
  notes.removeKey("k2");
  strictEqual(notes.hasKey("k2"), false);
  await reader.commit();
  deepStrictEqual(
    [...await reader.execute(select(Note.c.id, Note.c.keyword))],
    [[3, "k1"]],
  );
});

Deno.test("orm 98: objects without a key may be left out of a map, if it is told so", async () => {
  class Owner extends Entity.table("owners", {
    id: integer().primaryKey(),
    parts: () =>
      keyedBy(oneToMany(Part), (part) => part.name, {
        ignoreUnpopulated: true,
      }),
  }) {}
  class Part extends Entity.table("parts", {
    id: integer().primaryKey(),
    name: text().nullable(),
    ownerId: integer().references("owners.id").nullable(),
  }) {}
  const owner = new Owner({ parts: [new Part({}), new Part({ name: "p" })] });
  const parts = await owner.parts.load();
  strictEqual(parts.length, 2);
  deepStrictEqual([...parts.toMap().keys()], ["p"]);
});

Deno.test("orm 98: a collection may be of a class of one's own, told of what comes and goes from either side", async () => {
  const log: string[] = [];
  interface Newest<T> extends LoadedCollection<T> {
    readonly newest: T | undefined;
  }
  interface NewestFunction extends CollectionFunction {
    readonly collection: Newest<this["item"]>;
    readonly loaded: Newest<this["item"]>;
    readonly init: Iterable<this["item"]>;
  }
  class NewestHandle extends ManyHandle {
    get newest(): object | undefined {
      return this.at(-1);
    }
    override put(item: object): boolean {
      log.push(`+${(item as Post).title}`);
      return super.put(item);
    }
    override take(item: object): boolean {
      log.push(`-${(item as Post).title}`);
      return super.take(item);
    }
  }
  abstract class Own extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = new MetaData();
  }
  class Blog extends Own.table("blogs", {
    posts: () =>
      collectedIn<typeof Post, NewestFunction>(
        oneToMany(Post, { backPopulates: "blog" }),
        (state, relation) => new NewestHandle(state, relation),
      ),
  }) {}
  class Post extends Own.table("posts", {
    title: text(),
    blogId: integer().references("blogs.id").nullable(),
    blog: () => manyToOne(Blog, { backPopulates: "posts" }),
  }) {}
  await using db = await memory(Own.metadata);
  await using session = db.session();
  const [a, b] = ["a", "b"].map((title) => new Post({ title })) as [Post, Post];
  const blog = new Blog({ posts: [a] });
  b.blog.set(blog);
  strictEqual(blog.posts.newest, b);
  b.blog.set(null);
  deepStrictEqual(log, ["+a", "+b", "-b"]);
  session.add(blog);
  await session.commit();
  await using reader = db.session();
  const [found] = await reader.scalars(
    select(Blog).options(selectinload(Blog.r.posts)),
  );
  strictEqual(found!.posts.newest?.title, "a");
});

Deno.test("orm 102: an association proxy shows one attribute of related objects, and makes and removes them", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const user = new User({ name: "ed" });
  user.keywords.add("a", "b");
  const topic = new Topic({ title: "t" });
  user.topics.add(topic);
  deepStrictEqual(user.keywords.toArray(), ["a", "b", "t"]);
  deepStrictEqual([...user.topics], [null, null, topic]);
  strictEqual(user.keywords.has("a"), true);
  session.add(user);
  await session.commit();
  strictEqual(db.sent.length, 1);

  await using other = db.session();
  const again = (await other.get(User, user.id))!;
  throws(() => again.keywords.length, { code: "orm/not-loaded" });
  const having = (word: string) =>
    other.scalars(
      select(User).where(any(User.r.userKeywords, UserKeyword.c.word.eq(word))),
    );
  strictEqual((await having("b"))[0], again);
  strictEqual((await having("z")).length, 0);
  const keywords = await again.keywords.load();
  keywords.set(["b", "c"]);
  keywords.remove("nothing");
  await other.commit();
  deepStrictEqual(
    [
      ...await other.execute(
        select(UserKeyword.c.id, UserKeyword.c.word).orderBy(
          UserKeyword.c.id,
        ),
      ),
    ],
    [[2, "b"], [4, "c"]],
  );
});

Deno.test("orm 103: an ordering list keeps the position column in step on insert, move, removal and sort", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const slide = (title: string) => new Slide({ title });
  const [a, b, c] = ["a", "b", "c"].map(slide) as [Slide, Slide, Slide];
  session.add(new User({ name: "ed", slides: [a, b] }));
  await session.commit();
  const [user] = await session.scalars(
    select(User).options(selectinload(User.r.slides)),
  );
  const { slides } = user!;
  const seen = () =>
    slides.toArray().map(({ title, position }) => `${title}${position}`);
  deepStrictEqual(seen(), ["a0", "b1"]);
  slides.insert(0, c);
  deepStrictEqual(seen(), ["c0", "a1", "b2"]);
  slides.move(b, 0);
  deepStrictEqual(seen(), ["b0", "c1", "a2"]);
  await session.commit();
  const rows = () =>
    session.execute(select(Slide.c.title).orderBy(Slide.c.position));
  deepStrictEqual([...await rows()], ["b", "c", "a"]);
  slides.remove(c);
  deepStrictEqual(seen(), ["b0", "a1"]);
  slides.sort((one, other) => one.title < other.title ? -1 : 1);
  await session.commit();
  deepStrictEqual([...await rows()], ["a", "b"]);
  user!.slides.set([b, slide("d"), a]);
  deepStrictEqual(seen(), ["b0", "d1", "a2"]);
  user!.slides.set([a, b]);
  await session.commit();
  deepStrictEqual([...await rows()], ["a", "b"]);

  await using reader = db.session();
  const [again] = await reader.scalars(
    select(User).options(selectinload(User.r.slides)),
  );
  deepStrictEqual([...again!.slides].map(({ title }) => title), ["a", "b"]);
  strictEqual(reader.dirty.length, 0);
});

Deno.test("orm 104: a write-only collection is never loaded; it is added to, removed from, and queried", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const amounts = async () => {
    const rows = await session.execute(
      select(Entry.c.amount).orderBy(Entry.c.id),
    );
    return [...rows];
  };
  const user = new User({
    name: "ed",
    entries: [new Entry({ amount: 1 }), new Entry({ amount: 2 })],
  });
  throws(() => user.entries.select(), {
    name: "StateError",
    message:
      /Cannot query User\.entries: it is write-only; .* once its owner is saved/,
  });
  session.add(user);
  await session.commit();
  session.add(new User({ name: "other", entries: [new Entry({ amount: 9 })] }));
  user.entries.add(new Entry({ amount: 3 }));
  await session.commit();

  throws(() => [...(user.entries as never as Iterable<Entry>)], {
    message: /Cannot iterate over User\.entries/,
  });
  await rejects(
    async () => await (user.entries as never as { load(): unknown }).load(),
    { message: /Cannot load User\.entries/ },
  );
  const big = await session.scalars(
    user.entries.select().where(Entry.c.amount.gt(1)),
  );
  deepStrictEqual([...big].map(({ amount }) => amount), [2, 3]);
  user.entries.remove(big[0]!);
  await rejects(session.commit());
  await session.rollback();

  await session.execute(user.entries.insert([{ amount: 4 }]));
  await session.execute(user.entries.update({ amount: 5 }));
  deepStrictEqual(await amounts(), [5, 5, 9, 5, 5]);
  await session.execute(user.entries.delete());
  deepStrictEqual(await amounts(), [9]);
  db.reset();
  session.delete(user);
  await session.commit();
  strictEqual(db.statements.some((sql) => /FROM "entries"/.test(sql)), false);
  throws(() => writeOnly(oneToMany(Entry)), {
    name: "MappingError",
    message: /passiveDeletes: true/,
  });
});

Deno.test("console.log() of a relation's handle shows what it leads to, not the session around it", async () => {
  await using db = await memory(Base.metadata);
  await using session = db.session();
  const user = new User({
    name: "ed",
    addresses: [new Address({ email: "a" })],
  });
  session.add(user);
  await session.commit();
  const [address] = await user.addresses.load();
  for (const handle of [user.addresses, user.notes, address!.user]) {
    const shown = Deno.inspect(handle, { depth: 9 });
    strictEqual(/session|mapper|relation/.test(shown), false, shown);
  }
  strictEqual(Deno.inspect(user.addresses).includes(`email: "a"`), true);
  strictEqual(Deno.inspect(address!.user).includes(`name: "ed"`), true);
});
