import { fromsOf } from "./_froms.ts";
import type { SelectedRow, SelectItem, SelectRecord } from "./row_types.ts";
import { Select, select } from "./select.ts";

/**
 * The rows of a query with other columns; their order only stays where it
 * decides which rows they are.
 */
export function withOnlyColumns<
  const A extends readonly (SelectItem | SelectRecord)[],
>(query: Select<unknown>, ...things: A): Select<SelectedRow<A>> {
  const { from, limit, offset, orderBy } = query.state;
  return new Select(select(...things).shape, {
    ...query.state,
    from: from.length > 0 ? from : fromsOf(query),
    orderBy: limit || offset ? orderBy : [],
  });
}
