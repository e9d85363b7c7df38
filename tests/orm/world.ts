import {
  Entity,
  integer,
  joined,
  manyToMany,
  manyToOne,
  oneToMany,
  oneToOne,
  polymorphicOn,
  text,
} from "../../orm/mod.ts";
import { MetaData, table } from "../../sql/mod.ts";

/** A model with every kind of relation, and a class that inherits. */
export const world: MetaData = new MetaData();

abstract class Base extends Entity.with({
  id: integer().primaryKey(),
  uid: text(20).unique(),
  label: text(),
}) {
  static override metadata = world;
}

export class Author extends Base.table("authors", {
  managerId: integer().references("authors.id").nullable(),
  manager: () => manyToOne(Author, { backPopulates: "reports" }),
  reports: () => oneToMany(Author, { backPopulates: "manager" }),
  books: () =>
    oneToMany(Book, {
      backPopulates: "author",
      cascade: "all, delete-orphan",
    }),
  articles: () => oneToMany(Article, { backPopulates: "editor" }),
  profile: () =>
    oneToOne(Profile, {
      backPopulates: "author",
      cascade: "all, delete-orphan",
    }),
}) {}

export class Book extends Base.table("books", {
  authorId: integer().references("authors.id"),
  author: () => manyToOne(Author, { backPopulates: "books" }),
  tags: () => manyToMany(Tag, { secondary: bookTags, backPopulates: "books" }),
}) {}

export class Tag extends Base.table("tags", {
  books: () => manyToMany(Book, { secondary: bookTags, backPopulates: "tags" }),
}) {}

export class Article extends Base.table("articles", {
  editorId: integer().references("authors.id").nullable(),
  editor: () => manyToOne(Author, { backPopulates: "articles" }),
  type: polymorphicOn(text(), { identity: "article" }),
}) {}

/** An article with a row in a second table, which says what the first one does. */
export class Review extends joined(Article, "reviews", { verdict: text() }, {
  identity: "review",
}) {}

export class Profile extends Base.table("profiles", {
  authorId: integer().references("authors.id").nullable(),
  author: () => manyToOne(Author, { backPopulates: "profile" }),
}) {}

export const bookTags = table("book_tags", world, {
  bookId: integer().primaryKey().references("books.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

export const CLASSES = { Author, Book, Tag, Article, Profile } as const;
export type Kind = keyof typeof CLASSES;
export type Thing = InstanceType<(typeof CLASSES)[Kind]>;
