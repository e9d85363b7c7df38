import { d1 } from "@aludel/aludel/backends/d1";
import { selectinload, Session } from "@aludel/aludel/orm";
import { createEngine, select } from "@aludel/aludel/sql";
import { countingD1, startWorkerd } from "../../tests/services/mod.ts";
import { expect, log, say, seen, story } from "../demo/page.ts";
import { Author, Book, metadata, Tag } from "./domain.ts";

/** Saves a small domain to D1 and loads it back: one trip each way. */
export async function tellPatterns(): Promise<void> {
  story(
    2,
    "Patterns: a graph of objects, one trip each way",
    "D1 in workerd; every trip of the binding is counted",
  );
  await using workerd = await startWorkerd({ d1: ["DB"] });
  const counted = countingD1(workerd.d1("DB"));
  const engine = createEngine(d1(counted.db), {
    echo: true,
    log: withoutPrefix,
  });
  const quiet = createEngine(d1(counted.db));
  await metadata.createAll(quiet);

  say(
    "Two authors, one the other's mentor; three books; tags shared by books.",
  );
  const fantasy = new Tag({ label: "fantasy" });
  const travel = new Tag({ label: "travel" });
  const ursula = new Author({
    name: "Ursula",
    settings: { theme: "dark" },
    books: [
      new Book({ title: "A Wizard of Earthsea", tags: [fantasy, travel] }),
      new Book({ title: "The Tombs of Atuan", tags: [fantasy] }),
    ],
  });
  const neil = new Author({
    name: "Neil",
    mentor: ursula,
    books: [new Book({ title: "Neverwhere", tags: [fantasy, travel] })],
  });

  let before = counted.trips;
  await using session = new Session({ bind: engine });
  session.addAll([ursula, neil]);
  await session.commit();
  const saving = counted.trips - before;
  say("");
  seen(
    `saved in ${saving} round trip; the database made every key: ${ursula.introduce()} is ${ursula.id}, her mentee names ${neil.mentorId}`,
  );
  expect(saving === 1, `1 trip to save, not ${saving}`);
  expect(neil.mentorId === ursula.id, "the mentee to name his mentor");
  say("");

  before = counted.trips;
  await using fresh = new Session({ bind: engine });
  const authors = await fresh.scalars(
    select(Author).orderBy(Author.c.name).options(
      selectinload(Author.r.mentor),
      selectinload(Author.r.books, selectinload(Book.r.tags)),
    ),
  );
  const loading = counted.trips - before;
  say("");
  for (const author of authors) {
    const books = author.books.toArray().map((book) =>
      `${book.title} (${
        book.tags.toArray().map((tag) => tag.label).join(", ")
      })`
    );
    say(
      `${author.name}, taught by ${author.mentor.value?.name ?? "nobody"}: ${
        books.join("; ")
      }`,
    );
  }
  seen(`loaded with every relation in ${loading} round trip`);
  expect(loading === 1, `1 trip to load, not ${loading}`);
  const again = await fresh.get(Author, ursula.id);
  expect(
    again === authors.find((author) => author.name === "Ursula"),
    "one object for one row",
  );
  expect(counted.trips - before === 1, "no trip for what is in the session");
  seen("asked for again by key: the same object, no trip (Identity Map)");
}

function withoutPrefix(line: string): void {
  log(line.replace(/^INFO aludel\.engine\.\w+ /, ""));
}
