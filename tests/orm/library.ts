import {
  Entity,
  integer,
  manyToMany,
  manyToOne,
  oneToMany,
  text,
} from "../../orm/mod.ts";
import { MetaData, table } from "../../sql/mod.ts";

/** Authors with managers, their books, and the books' tags. */
export const library: MetaData = new MetaData();

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = library;
}

export class Author extends Base.table("authors", {
  name: text(50).unique(),
  managerId: integer().references("authors.id").nullable(),
  manager: () => manyToOne(Author, { backPopulates: "reports" }),
  reports: () => oneToMany(Author, { backPopulates: "manager" }),
  books: () =>
    oneToMany(Book, {
      backPopulates: "author",
      cascade: "all, delete-orphan",
    }),
}) {}

export class Book extends Base.table("books", {
  title: text(),
  authorId: integer().references("authors.id"),
  author: () => manyToOne(Author, { backPopulates: "books" }),
  tags: () => manyToMany(Tag, { secondary: bookTags, backPopulates: "books" }),
}) {}

export class Tag extends Base.table("tags", {
  label: text(),
  books: () => manyToMany(Book, { secondary: bookTags, backPopulates: "tags" }),
}) {}

export const bookTags = table("book_tags", library, {
  bookId: integer().primaryKey().references("books.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

/** One manager, and authors with three books each; every book has two tags. */
export function shelf(prefix: string, authors: number): Author[] {
  const tags = ["a", "b", "c"].map((label) =>
    new Tag({ label: `${prefix}-${label}` })
  );
  const boss = new Author({ name: `${prefix} boss` });
  return [
    boss,
    ...Array.from({ length: authors - 1 }, (_, i) =>
      new Author({
        name: `${prefix} ${i}`,
        manager: boss,
        books: [0, 1, 2].map((n) =>
          new Book({
            title: `${prefix} ${i}/${n}`,
            tags: [tags[n]!, tags[(n + 1) % 3]!],
          })
        ),
      })),
  ];
}
