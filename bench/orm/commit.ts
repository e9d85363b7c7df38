/**
 * A unit of work of 1 000 new objects on `node:sqlite`, side by side with
 * MikroORM and TypeORM on the same module: 200 authors of four books each,
 * keys from the database, one commit.
 *
 *     deno run -A bench/orm/commit.ts
 */
import { DatabaseSync } from "node:sqlite";
import { defineEntity, MikroORM, p } from "npm:@mikro-orm/core@7.2.2";
import { NodeSqliteDialect, SqliteDriver } from "npm:@mikro-orm/sql@7.2.2";
import { DataSource, EntitySchema } from "npm:typeorm@1.1.1";
import { sqlite } from "../../backends/sqlite.ts";
import {
  Entity,
  integer,
  manyToOne,
  oneToMany,
  Session,
  text,
} from "../../orm/mod.ts";
import { createEngine, MetaData, sql } from "../../sql/mod.ts";

const AUTHORS = 200;
const BOOKS = 4;
const ROUNDS = 25;

interface Bench {
  readonly name: string;
  /** Does the work; gives how long it took and how many rows there are. */
  run(): Promise<{ milliseconds: number; rows: number }>;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function aludel(): Bench {
  const metadata = new MetaData();
  abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
    static override metadata = metadata;
  }
  class Author extends Base.table("author", {
    name: text(),
    books: () => oneToMany(Book, { backPopulates: "author" }),
  }) {}
  class Book extends Base.table("book", {
    title: text(),
    authorId: integer().references("author.id"),
    author: () => manyToOne(Author, { backPopulates: "books" }),
  }) {}
  return {
    name: "Aludel",
    async run() {
      await using engine = createEngine(sqlite(":memory:"));
      await metadata.createAll(engine);
      const session = new Session({ bind: engine });
      const milliseconds = await timed(async () => {
        for (let i = 0; i < AUTHORS; i++) {
          const books = Array.from(
            { length: BOOKS },
            (_, n) => new Book({ title: `${i}/${n}` }),
          );
          session.add(new Author({ name: `author ${i}`, books }));
        }
        await session.commit();
      });
      const [count] = await engine.execute(
        sql`
          SELECT (SELECT count(*) FROM author) +
            (SELECT count(*) FROM book WHERE "authorId" IS NOT NULL) AS n`,
      );
      return { milliseconds, rows: Number(count?.["n"]) };
    },
  };
}

function mikroOrm(): Bench {
  const Author = defineEntity({
    name: "Author",
    properties: {
      id: p.integer().primary(),
      name: p.string(),
      books: () => p.oneToMany(Book).mappedBy("author"),
    },
  });
  const Book = defineEntity({
    name: "Book",
    properties: {
      id: p.integer().primary(),
      title: p.string(),
      author: () => p.manyToOne(Author),
    },
  });
  return {
    name: "MikroORM 7.2.2",
    async run() {
      const orm = await MikroORM.init({
        driver: SqliteDriver,
        dbName: ":memory:",
        driverOptions: new NodeSqliteDialect(":memory:"),
        entities: [Author, Book],
      });
      await orm.schema.create();
      const em = orm.em.fork();
      const milliseconds = await timed(async () => {
        for (let i = 0; i < AUTHORS; i++) {
          const author = em.create(Author, { name: `author ${i}` });
          for (let n = 0; n < BOOKS; n++) {
            em.create(Book, { title: `${i}/${n}`, author });
          }
        }
        await em.flush();
      });
      const fresh = orm.em.fork();
      const rows = await fresh.count(Author) +
        await fresh.count(Book, { author: { $ne: null } } as never);
      await orm.close();
      return { milliseconds, rows };
    },
  };
}

// TypeORM speaks to better-sqlite3; this is the same interface on node:sqlite.
class BetterSqlite {
  readonly #db: DatabaseSync;
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
  }
  pragma(text: string): unknown[] {
    return this.#db.prepare(`PRAGMA ${text}`).all();
  }
  prepare(text: string): unknown {
    const statement = this.#db.prepare(text);
    return {
      reader: statement.columns().length > 0,
      all: (...params: never[]) => statement.all(...params),
      run: (...params: never[]) => statement.run(...params),
    };
  }
  exec(text: string): void {
    this.#db.exec(text);
  }
  close(): void {
    this.#db.close();
  }
}

function typeOrm(): Bench {
  interface AuthorRow {
    id?: number;
    name: string;
    books: BookRow[];
  }
  interface BookRow {
    id?: number;
    title: string;
    author?: AuthorRow;
  }
  const Author = new EntitySchema<AuthorRow>({
    name: "author",
    columns: {
      id: { type: "integer", primary: true, generated: "increment" },
      name: { type: "text" },
    },
    relations: {
      books: {
        type: "one-to-many",
        target: "book",
        inverseSide: "author",
        cascade: ["insert"],
      },
    },
  });
  const Book = new EntitySchema<BookRow>({
    name: "book",
    columns: {
      id: { type: "integer", primary: true, generated: "increment" },
      title: { type: "text" },
    },
    relations: {
      author: { type: "many-to-one", target: "author", inverseSide: "books" },
    },
  });
  return {
    name: "TypeORM 1.1.1",
    async run() {
      const source = await new DataSource({
        type: "better-sqlite3",
        database: ":memory:",
        driver: BetterSqlite,
        entities: [Author, Book],
        synchronize: true,
      }).initialize();
      const authors = source.getRepository(Author);
      const milliseconds = await timed(async () => {
        const made = Array.from({ length: AUTHORS }, (_, i) =>
          authors.create({
            name: `author ${i}`,
            books: Array.from(
              { length: BOOKS },
              (_, n) => ({ title: `${i}/${n}` }),
            ),
          }));
        await authors.save(made);
      });
      const rows = await authors.count() +
        await source.getRepository(Book).count();
      await source.destroy();
      return { milliseconds, rows };
    },
  };
}

const benches = [aludel(), mikroOrm(), typeOrm()];
const times = new Map(benches.map(({ name }) => [name, [] as number[]]));
// In turn, so that what else the machine does falls on all of them.
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, run } of benches) {
    const { milliseconds, rows } = await run();
    if (rows !== AUTHORS * (1 + BOOKS)) {
      throw new Error(`${name} wrote ${rows} rows`);
    }
    times.get(name)!.push(milliseconds);
  }
}
const median = (list: number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1]!;
const own = median(times.get("Aludel")!);
for (const [name, list] of times) {
  const found = median(list);
  // deno-lint-ignore no-console -- what a benchmark is for
  console.log(
    `${name.padEnd(16)} ${found.toFixed(2).padStart(8)} ms  ${
      (found / own).toFixed(2)
    } × Aludel`,
  );
}
