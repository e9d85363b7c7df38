import { deepStrictEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  expire,
  isModified,
  ManyHandle,
  merge,
  type NestedTransaction,
  refresh,
  Session,
  stateOf,
} from "../../orm/mod.ts";
import {
  deleteFrom,
  type Engine,
  select,
  sortTables,
  sql,
} from "../../sql/mod.ts";
import {
  d1Database,
  pgliteDatabase,
  sqliteDatabase,
  type TestDatabase,
  workerdWith,
} from "./databases.ts";
import { Naive } from "./naive.ts";
import {
  Article,
  Author,
  Book,
  CLASSES,
  type Kind,
  Profile,
  Review,
  Tag,
  type Thing,
  world,
} from "./world.ts";

const workerd = await workerdWith("DB");
Deno.test.afterAll(() => workerd.dispose());

const KINDS = Object.keys(CLASSES) as Kind[];
const VERBS = [
  ...["add", "add", "add", "rename", "own", "own", "adopt", "disown"],
  ...["link", "link", "unlink", "delete", "load", "commit", "rollback"],
  ...["reopen", "flush", "query", "replace"],
  ...["begin", "keep", "undo", "merge", "refresh", "expire", "bare"],
] as const;

/** One step: a verb, and numbers that choose what it is about. */
type Step = readonly [verb: (typeof VERBS)[number], a: number, b: number];

const { FC_SEED } = Deno.env.toObject();
const seeded = FC_SEED ? { seed: Number(FC_SEED) } : {};

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.constantFrom(...VERBS), fc.nat(30), fc.nat(30)),
  { maxLength: 60, size: "max" },
);

async function rowsOf(engine: Engine): Promise<unknown> {
  const things = await engine.execute(sql`
    SELECT uid, 'Author' AS kind, label,
      (SELECT m.uid FROM authors m WHERE m.id = t."managerId") AS owner
      FROM authors t
    UNION ALL SELECT uid, 'Book', label,
      (SELECT a.uid FROM authors a WHERE a.id = t."authorId") FROM books t
    UNION ALL SELECT uid, 'Article',
      CASE WHEN (r.id IS NOT NULL) = (t.type = 'review')
        AND coalesce(r.verdict, label) = label THEN label ELSE 'torn' END,
      (SELECT a.uid FROM authors a WHERE a.id = t."editorId")
      FROM articles t LEFT JOIN reviews r ON r.id = t.id
    UNION ALL SELECT uid, 'Profile', label,
      (SELECT a.uid FROM authors a WHERE a.id = t."authorId") FROM profiles t
    UNION ALL SELECT uid, 'Tag', label, NULL FROM tags`);
  const tags = await engine.execute(sql`
    SELECT b.uid AS book, t.uid AS tag FROM book_tags l
      JOIN books b ON b.id = l."bookId" JOIN tags t ON t.id = l."tagId"`);
  const sorted = (rows: Iterable<Record<string, unknown>>) =>
    [...rows].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return { things: sorted(things), tags: sorted(tags) };
}

/** What the relations of a thing that are loaded hold, by uid. */
function held(thing: Thing): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...stateOf(thing).handles].filter(([, handle]) => handle.isLoaded).map((
      [key, handle],
    ) => [
      key,
      (handle instanceof ManyHandle
        ? handle.toArray() as Thing[]
        : handle.value
        ? [handle.value as Thing]
        : []).map(({ uid }) => uid).sort(),
    ]),
  );
}

/** Runs steps through a session and through the naive reference alike. */
/** Who makes the keys of new objects; each by turns, if both. */
const KEY_MAKERS = ["database", "program", "both"] as const;
type KeyMaker = typeof KEY_MAKERS[number];

class Run {
  readonly naive = new Naive();
  session: Session;
  readonly things = new Map<string, Thing>();
  readonly savepoints: NestedTransaction[] = [];
  readonly #engine: Engine;
  readonly #keys: KeyMaker;
  #next = 0;

  constructor(engine: Engine, keys: KeyMaker) {
    this.#engine = engine;
    this.#keys = keys;
    this.session = new Session({ bind: engine });
  }

  /** The next object's key where the program makes it; far from the database's. */
  key(): { id?: number } {
    const n = this.#next;
    const isOwn = this.#keys === "program" || this.#keys === "both" && n % 2;
    return isOwn ? { id: 1_000_000 - n } : {};
  }

  pick<K extends Kind>(
    kind: K,
    n: number,
  ): [string, InstanceType<(typeof CLASSES)[K]>] | undefined {
    const uids = this.naive.of(kind);
    const uid = uids[n % uids.length];
    return uid === undefined ? undefined : [
      uid,
      this.things.get(uid) as InstanceType<(typeof CLASSES)[K]>,
    ];
  }

  async step([verb, a, b]: Step): Promise<void> {
    const { naive, session } = this;
    const kind = KINDS[a % KINDS.length]!;
    const author = this.pick("Author", b);
    switch (verb) {
      case "add": {
        const uid = `u${++this.#next}`;
        const values = { ...this.key(), uid, label: "new" };
        let thing: Thing;
        let owner: string | null = null;
        if (kind === "Book") {
          if (!author) return;
          thing = new Book({ ...values, author: author[1] });
          session.add(thing);
          owner = author[0];
        } else if (kind === "Profile") {
          if (!author) return;
          // A second profile takes the first one's place.
          for (const [other, one] of naive.now) {
            if (one.kind === "Profile" && one.owner === author[0]) {
              naive.doomed.add(other);
            }
          }
          thing = new Profile(values);
          author[1].profile.set(thing);
          owner = author[0];
        } else {
          thing = kind === "Article" && b % 2 === 1
            ? new Review({ ...values, verdict: values.label })
            : new CLASSES[kind](values);
          session.add(thing);
        }
        this.things.set(uid, thing);
        naive.now.set(uid, { kind, label: "new", owner, tags: [] });
        return;
      }
      case "rename": {
        const found = this.pick(kind, b);
        if (!found) return;
        found[1].label = `label ${a}`;
        // The row of a subclass says the same as its base's.
        if (found[1] instanceof Review) found[1].verdict = `label ${a}`;
        return naive.change(found[0], { label: `label ${a}` });
      }
      // The side that has the key names an owner, or none.
      case "own": {
        const isNone = a % 4 === 0;
        const owner = isNone ? undefined : author;
        const which = a % 3;
        if (which === 0) {
          const book = this.pick("Book", a);
          if (!book || !author) return;
          book[1].author.set(author[1]);
          return naive.change(book[0], { owner: author[0] });
        }
        const found = which === 1
          ? this.pick("Article", a)
          : this.pick("Author", a);
        if (!found) return;
        const [uid, thing] = found;
        if (thing instanceof Article) thing.editor.set(owner?.[1] ?? null);
        else if (this.reaches(owner?.[0], uid)) return;
        else (thing as Author).manager.set(owner?.[1] ?? null);
        return naive.change(uid, { owner: owner?.[0] ?? null });
      }
      // The owner takes in a member.
      case "adopt": {
        if (!author) return;
        const [uid, owner] = author;
        const which = (["Book", "Article", "Author"] as const)[a % 3]!;
        const found = this.pick(which, a);
        if (!found || found[0] === uid) return;
        const [member, thing] = found;
        if (thing instanceof Book) owner.books.add(thing);
        else if (thing instanceof Article) owner.articles.add(thing);
        else if (this.reaches(uid, member)) return;
        else owner.reports.add(thing);
        return naive.change(member, { owner: uid });
      }
      // The owner lets go of a member.
      case "disown": {
        const which = (["Book", "Article", "Author"] as const)[a % 3]!;
        const found = this.pick(which, a);
        const uid = found && naive.now.get(found[0])?.owner;
        if (!found || !uid || naive.doomed.has(uid)) return;
        const owner = this.things.get(uid) as Author;
        const [member, thing] = found;
        if (thing instanceof Book) {
          const isNew = session.new.includes(thing);
          owner.books.remove(thing);
          if (isNew) naive.now.delete(member);
          else naive.doomed.add(member);
          return;
        }
        if (thing instanceof Article) owner.articles.remove(thing);
        else owner.reports.remove(thing);
        return naive.change(member, { owner: null });
      }
      case "link":
      case "unlink": {
        const book = this.pick("Book", a);
        const tag = this.pick("Tag", b);
        if (!book || !tag) return;
        const { tags } = naive.now.get(book[0])!;
        if (tags.includes(tag[0]) === (verb === "link")) return;
        const act = verb === "link" ? "add" : "remove";
        if ((a + b) % 2 === 0) book[1].tags[act](tag[1]);
        else tag[1].books[act](book[1]);
        return naive.change(book[0], {
          tags: verb === "link"
            ? [...tags, tag[0]]
            : tags.filter((one) => one !== tag[0]),
        });
      }
      // A collection is set as a whole.
      case "replace": {
        const chosen = (kind: Kind) =>
          naive.of(kind).filter((_, i) => (a >> (i % 5)) % 2 === 1);
        const book = this.pick("Book", b);
        if (b % 2 === 0 && book) {
          const tags = chosen("Tag");
          book[1].tags.set(tags.map((uid) => this.things.get(uid) as Tag));
          return naive.change(book[0], { tags });
        }
        if (!author) return;
        const [owner, { articles }] = author;
        const wanted = chosen("Article");
        articles.set(wanted.map((uid) => this.things.get(uid) as Article));
        for (const uid of naive.of("Article")) {
          if (wanted.includes(uid)) naive.change(uid, { owner });
          else if (naive.now.get(uid)?.owner === owner) {
            naive.change(uid, { owner: null });
          }
        }
        return;
      }
      case "delete": {
        const found = this.pick(kind, b);
        if (!found) return;
        const [uid, thing] = found;
        if (session.new.includes(thing)) return;
        session.delete(thing);
        naive.doomed.add(uid);
        return;
      }
      case "load": {
        const found = this.pick(kind, b);
        if (!found) return;
        const [, thing] = found;
        if (thing instanceof Author) {
          await Promise.all([
            thing.books.load(),
            a % 2 === 0 ? thing.reports.load() : thing.articles.load(),
            thing.profile.load(),
            thing.manager.load(),
          ]);
        } else if (thing instanceof Book) {
          await Promise.all([thing.tags.load(), thing.author.load()]);
        } else if (thing instanceof Tag) await thing.books.load();
        else if (thing instanceof Article) await thing.editor.load();
        return;
      }
      case "commit":
        return await this.commit();
      case "rollback":
        this.savepoints.length = 0;
        await session.rollback();
        return naive.rollback();
      case "reopen": {
        await this.commit();
        await session.close();
        this.session = new Session({ bind: this.#engine });
        this.things.clear();
        for (const cls of Object.values(CLASSES)) {
          const found: Iterable<Thing> = await this.session.scalars(
            select(cls as typeof Tag),
          ) as never;
          for (const thing of found) this.things.set(thing.uid, thing);
        }
        return;
      }
      // What comes from elsewhere, by its key.
      case "merge": {
        const found = this.pick(kind, b);
        if (!found || stateOf(found[1]).status !== "persistent") return;
        const { id } = found[1];
        const label = `merged ${a}`;
        const values = { id, uid: found[0], label };
        await merge(
          session,
          found[1] instanceof Review
            ? new Review({ ...values, verdict: label })
            : new CLASSES[kind](values),
        );
        return naive.change(found[0], { label });
      }
      // What has no changes to lose is read again, alone or with all.
      case "refresh":
      case "expire": {
        const found = this.pick(kind, b);
        if (!found) return;
        await session.scalars(select(Tag));
        const [, thing] = found;
        if (stateOf(thing).status !== "persistent" || isModified(thing)) return;
        if (verb === "refresh") return await refresh(session, thing);
        expire(thing);
        for (const cls of Object.values(CLASSES)) {
          await session.scalars(select(cls as typeof Tag));
        }
        return;
      }
      // An author without a profile.
      case "bare": {
        if (!author) return;
        for (const [uid, one] of naive.now) {
          if (one.kind !== "Profile" || one.owner !== author[0]) continue;
          const isNew = session.new.includes(this.things.get(uid)!);
          if (isNew) naive.now.delete(uid);
          else naive.doomed.add(uid);
        }
        return author[1].profile.set(null);
      }
      // Savepoints, where a transaction is held open.
      case "begin":
        if (!this.#engine.capabilities.interactiveTransactions) return;
        this.savepoints.push(await session.beginNested());
        return naive.begin();
      case "keep":
      case "undo": {
        const last = this.savepoints.pop();
        if (!last) return;
        if (verb === "keep") await last.commit();
        else await last.rollback();
        return naive.end(verb === "keep");
      }
      case "flush":
        if (!this.#engine.capabilities.interactiveTransactions) return;
        return await session.flush();
      case "query":
        await session.scalars(select(CLASSES[kind] as typeof Tag));
        return;
    }
  }

  /** What the relations of a thing that are loaded should hold, by uid. */
  expected(uid: string, thing: Thing): Record<string, readonly string[]> {
    const { now } = this.naive;
    const { kind, owner, tags } = now.get(uid)!;
    const of = (kind: Kind) =>
      [...now].filter(([, one]) => one.kind === kind && one.owner === uid)
        .map(([uid]) => uid);
    const owners = owner ? [owner] : [];
    const all: Record<string, readonly string[]> = {
      ...kind === "Author" && {
        manager: owners,
        reports: of("Author"),
        books: of("Book"),
        articles: of("Article"),
        profile: of("Profile"),
      },
      ...kind === "Book" && { author: owners, tags },
      ...kind === "Article" && { editor: owners },
      ...kind === "Profile" && { author: owners },
      ...kind === "Tag" && {
        books: [...now].filter(([, { tags }]) => tags.includes(uid))
          .map(([uid]) => uid),
      },
    };
    return Object.fromEntries(
      Object.keys(held(thing)).map((key) => [key, [...all[key]!].sort()]),
    );
  }

  /** Whether a manager is, at some remove, managed by somebody. */
  reaches(from: string | undefined, to: string): boolean {
    for (
      let at: string | null | undefined = from;
      at;
      at = this.naive.now.get(at)?.owner
    ) if (at === to) return true;
    return false;
  }

  async commit(): Promise<void> {
    this.savepoints.length = 0;
    await this.session.commit();
    this.naive.commit();
    deepStrictEqual(await rowsOf(this.#engine), this.naive.rows());
    // Memory is what the rows are.
    for (const [uid, one] of this.naive.now) {
      const thing = this.things.get(uid)!;
      deepStrictEqual(thing.label, one.label);
      ok(this.session.has(thing), `${uid} in the session`);
      deepStrictEqual(held(thing), this.expected(uid, thing));
    }
    deepStrictEqual(this.session.dirty, []);
    deepStrictEqual(this.session.new, []);
  }
}

const makers = fc.constantFrom(...KEY_MAKERS);

for (
  const [name, open, numRuns] of [
    ["sqlite", () => sqliteDatabase(), 500],
    ["D1", () => d1Database(workerd, "DB"), 60],
    ["Postgres", () => pgliteDatabase(), 25],
  ] as [string, () => TestDatabase, number][]
) {
  Deno.test(`random changes leave the same rows on ${name} as statements one at a time`, async () => {
    await using database = open();
    const { engine } = database;
    await world.createAll(engine);
    await fc.assert(
      fc.asyncProperty(steps, makers, async (all, keys) => {
        const run = new Run(engine, keys);
        try {
          for (const step of all) await run.step(step);
          await run.commit();
        } finally {
          await run.session.close();
          run.naive.close();
          await engine.batch(
            sortTables(world.tables.values()).reverse().map((one) =>
              deleteFrom(one)
            ),
          );
        }
      }),
      // FC_SEED repeats a run that failed; its seed is printed with it.
      { numRuns, ...seeded },
    );
  });
}
