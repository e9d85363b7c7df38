import {
  joinedload,
  populateExisting,
  raiseload,
  selectinload,
  selectinTree,
} from "../../orm/mod.ts";
import { type RowOfStatement, select } from "../../sql/mod.ts";
import { Author, Book } from "../orm/library.ts";

type Row<S> = RowOfStatement<S>;

function is<T>(_value: T): void {}
declare function row<S>(statement: S): Row<S>;

/** Read by the type checker only: what was loaded is there, the rest is not. */
export function loadedRows(): void {
  const plain = row(select(Author));
  is<string>(plain.name);
  // @ts-expect-error -- nothing has loaded the collection
  plain.books.length;
  // @ts-expect-error -- a collection that is not loaded cannot be walked
  [...plain.books];

  const loaded = row(select(Author).options(selectinload(Author.r.books)));
  is<number>(loaded.books.length);
  is<string | undefined>(loaded.books.at(0)?.title);
  // @ts-expect-error -- the tags of the books were not asked for
  loaded.books.at(0)?.tags.length;
  // @ts-expect-error -- nor was the manager
  loaded.manager.value;

  const deep = row(
    select(Author).options(
      joinedload(Author.r.books, selectinload(Book.r.tags)),
      selectinload(Author.r.manager),
      raiseload("*"),
      populateExisting,
    ),
  );
  is<string | undefined>(deep.books.at(0)?.tags.at(0)?.label);
  is<string | undefined>(deep.manager.value?.name);
  // @ts-expect-error -- the manager's own manager was not asked for
  deep.manager.value?.manager.value;

  const [author, name] = row(
    select(Author, Author.c.name).options(selectinload(Author.r.books)),
  );
  is<number>(author.books.length);
  is<string>(name);

  const tree = row(select(Author).options(selectinTree(Author.r.reports, 2)));
  is<number>(tree.reports.length);
}
