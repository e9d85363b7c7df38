import { OperationError } from "../operations/errors.ts";
import type { AddColumn, AnyColumn } from "../operations/operation.ts";

/** Columns by name, in their order. */
type Columns = ReadonlyMap<string, AnyColumn>;

/** Tells whether a new column is to stand where ALTER puts it: at the end. */
export function isAtEnd(
  { insertAfter, insertBefore }: AddColumn,
  columns: Columns | undefined,
): boolean {
  if (insertBefore !== undefined) return false;
  return insertAfter === undefined ||
    insertAfter === [...columns?.keys() ?? []].at(-1);
}

/**
 * Columns with a new one in its place.
 *
 * @throws {OperationError} If there is no such place.
 */
export function withPlaced(
  columns: Columns,
  name: string,
  column: AnyColumn,
  { insertAfter: after, insertBefore: before }: Pick<
    AddColumn,
    "insertAfter" | "insertBefore"
  >,
): Map<string, AnyColumn> {
  const names = [...columns.keys()].filter((one) => one !== name);
  const at = (neighbour: string) => {
    const found = names.indexOf(neighbour);
    if (found >= 0) return found;
    throw new OperationError(
      `Cannot place column '${name}' beside '${neighbour}': there are ${
        names.map((one) => `'${one}'`).join(", ")
      }; name one of these`,
    );
  };
  const place = after !== undefined
    ? at(after) + 1
    : before !== undefined
    ? at(before)
    : names.length;
  if (before !== undefined && at(before) < place) {
    throw new OperationError(
      `Cannot place column '${name}' after '${after}' and before '${before}': they stand the other way round; name one of the two`,
    );
  }
  const all = new Map(columns).set(name, column);
  return inOrder(all, names.toSpliced(place, 0, name));
}

/**
 * Columns in an order that keeps to the given lists, and otherwise to the order
 * that they have.
 *
 * @throws {OperationError} If a list names no column, or lists contradict each other.
 */
export function reordered(
  columns: Columns,
  lists: readonly (readonly string[])[],
): Map<string, AnyColumn> {
  const refuse = (state: string) =>
    new OperationError(
      `Cannot reorder columns ${
        lists.map((list) => `(${list.join(", ")})`).join(", ")
      }: ${state}`,
    );
  for (const name of lists.flat()) {
    if (!columns.has(name)) {
      throw refuse(
        `there is no '${name}'; name some of ${[...columns.keys()].join(", ")}`,
      );
    }
  }
  const left = [...columns.keys()];
  const order: string[] = [];
  while (left.length > 0) {
    const waits = (name: string) =>
      lists.some((list) =>
        left.some((other) =>
          list.includes(other) && list.indexOf(other) < list.indexOf(name)
        )
      );
    const next = left.findIndex((name) => !waits(name));
    if (next < 0) throw refuse("the lists contradict each other; mend one");
    order.push(...left.splice(next, 1));
  }
  return inOrder(columns, order);
}

function inOrder(
  columns: Columns,
  names: readonly string[],
): Map<string, AnyColumn> {
  return new Map(names.map((name) => [name, columns.get(name)!]));
}
