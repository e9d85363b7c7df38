/** A small domain: authors, their books, the books' tags. */
import {
  Entity,
  integer,
  json,
  manyToMany,
  manyToOne,
  oneToMany,
  text,
  versionId,
} from "@aludel/aludel/orm";
import { MetaData, table } from "@aludel/aludel/sql";

/** The tables of the domain. */
export const metadata: MetaData = new MetaData();

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}

const bookTags = table("book_tags", metadata, {
  bookId: integer().primaryKey().references("books.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

/** A writer, perhaps with a mentor who writes too. */
export class Author extends Base.table("authors", {
  name: text(50),
  settings: json<{ theme: string }>().nullable(),
  version: versionId(),
  mentorId: integer().references("authors.id").nullable(),
  mentor: () => manyToOne(Author),
  books: () =>
    oneToMany(Book, {
      backPopulates: "author",
      cascade: "all, delete-orphan",
    }),
}) {
  /** Behaviour lives beside the data and knows no database. */
  introduce(): string {
    return `${this.name}, writer`;
  }
}

/** What a writer writes. */
export class Book extends Base.table("books", {
  title: text(100),
  authorId: integer().references("authors.id"),
  author: () => manyToOne(Author, { backPopulates: "books" }),
  tags: () => manyToMany(Tag, { secondary: bookTags }),
}) {}

/** What a book is about. */
export class Tag extends Base.table("tags", { label: text(30) }) {}
