/**
 * How a published package exports its entities, so that whoever imports it
 * need not infer a type: the shape of a class is written down as an interface
 * (or the fields of a plain class are), and the class is as short as ever.
 *
 * An application, which publishes nothing, needs none of this.
 *
 * @module
 */
import {
  type Collection,
  Entity,
  type EntityClass,
  integer,
  manyToOne,
  type MappedClass,
  mapper,
  oneToMany,
  text,
  type ToMany,
  type ToOne,
} from "@aludel/aludel/orm";
import {
  type ColumnBuilder,
  MetaData,
  type Table,
  table,
} from "@aludel/aludel/sql";

/** The tables of this package. */
export const metadata: MetaData = new MetaData();

abstract class Base extends Entity {
  static override metadata: MetaData = metadata;
}

// --- A declarative class: its shape is an interface ------------------------

/** What an author is made of. */
export interface AuthorShape {
  /** The key, which the database makes. */
  readonly id: ColumnBuilder<number, true>;
  /** The name. */
  readonly name: ColumnBuilder<string>;
  /** The books. */
  readonly books: () => ToMany<typeof Book>;
}

const AuthorTable: EntityClass<AuthorShape, Base> = Base.table("authors", {
  id: integer().primaryKey(),
  name: text(),
  books: () => oneToMany(Book, { backPopulates: "author" }),
});

/** An author. */
export class Author extends AuthorTable {
  /** The name as it stands on a cover. */
  get title(): string {
    return this.name.toUpperCase();
  }
}

/** What a book is made of. */
export interface BookShape {
  /** The key, which the database makes. */
  readonly id: ColumnBuilder<number, true>;
  /** The title. */
  readonly title: ColumnBuilder<string>;
  /** The author's key. */
  readonly authorId: ColumnBuilder<number, "reference">;
  /** The author. */
  readonly author: () => ToOne<typeof Author>;
}

const BookTable: EntityClass<BookShape, Base> = Base.table("books", {
  id: integer().primaryKey(),
  title: text(),
  authorId: integer().references("authors.id"),
  author: () => manyToOne(Author, { backPopulates: "books" }),
});

/** A book. */
export class Book extends BookTable {}

// --- A plain class: its fields are written down, its mapping stands beside --

/** A shelf; nothing about it knows of a database. */
export class Shelf {
  /** The key, once it is saved. */
  declare id: number;
  /** What stands on it. */
  declare boxes: Collection<Box>;
  /** Where it is. */
  room: string;
  /** Puts up a shelf. */
  constructor(room: string) {
    this.room = room;
  }
}

/** A box on a shelf. */
export class Box {
  /** The key, once it is saved. */
  declare id: number;
  /** What is written on it. */
  label: string;
  /** Packs a box. */
  constructor(label: string) {
    this.label = label;
  }
}

const shelves: Table = table("shelves", metadata, {
  id: integer().primaryKey(),
  room: text(),
});
const boxes: Table = table("boxes", metadata, {
  id: integer().primaryKey(),
  label: text(),
  shelfId: integer().references("shelves.id").nullable(),
});

/** Shelves in queries: `select(mappedShelf)`. */
export const mappedShelf: MappedClass<typeof Shelf> = mapper(Shelf, shelves, {
  properties: { boxes: () => oneToMany(Box) },
});
/** Boxes in queries: `select(mappedBox)`. */
export const mappedBox: MappedClass<typeof Box> = mapper(Box, boxes);
