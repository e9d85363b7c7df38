import type { SelectOption } from "../../sql/mod.ts";
import type { Relation } from "../relation.ts";
import { isLoader, type LoaderOption, type Read } from "./loader.ts";
import { among, attach, ownerColumns, relatedQuery } from "./related.ts";

/**
 * Loads a relation along with a query: one more statement in the same trip,
 * whatever the depth, since it finds the owners by the query itself.
 *
 * @param relation The relation, as `User.r.addresses`.
 * @param then What is loaded below it.
 */
export function selectinload<
  Key extends string,
  C,
  const Sub extends readonly SelectOption[] = [],
>(relation: Relation<Key, C>, ...then: Sub): LoaderOption<Key, Sub> {
  return {
    kind: "loader",
    key: relation.key,
    plan(query, parents, reader): readonly Read[] {
      const owners = query.withOnlyColumns(...ownerColumns(relation));
      const related = relatedQuery(
        relation,
        (columns) => among(columns, owners),
      ).options(...then);
      const read = reader.read(
        related,
        (rows) => attach(relation, parents(), rows),
      );
      const children = (): object[] =>
        read.rows.map((row) =>
          (relation.secondary ? (row as object[])[0] : row) as object
        );
      return [
        read,
        ...then.filter(isLoader).flatMap((loader) =>
          loader.plan(related, children, reader)
        ),
      ];
    },
  };
}
