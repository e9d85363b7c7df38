import { type FromClause, joinPath, type Table } from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import type { Mapper } from "./mapper.ts";
import {
  type Cascade,
  joinSteps,
  type Pair,
  type Relation,
  type RelationSpec,
} from "./relation.ts";

const CASCADES: readonly Cascade[] = [
  "save-update",
  "merge",
  "delete",
  "delete-orphan",
  "expunge",
  "refresh-expire",
];

function cascadesOf(text: string, where: string): ReadonlySet<Cascade> {
  const found = new Set<Cascade>();
  for (const word of text.split(",").map((part) => part.trim())) {
    if (word === "" || word === "none") continue;
    if (word === "all") {
      for (const one of CASCADES) if (one !== "delete-orphan") found.add(one);
    } else if (CASCADES.includes(word as Cascade)) found.add(word as Cascade);
    else {
      throw new MappingError(
        `Cannot cascade "${word}" along ${where}: the cascades are all, ${
          CASCADES.join(", ")
        }`,
      );
    }
  }
  return found;
}

/** Finds out everything about a relation from its description. */
export function configureRelation(
  parent: Mapper,
  key: string,
  describe: () => RelationSpec<unknown>,
  mapperOf: (cls: unknown) => Mapper,
): Relation {
  const where = `${parent.name}.${key}`;
  const spec = describe();
  const target = mapperOf(spec.target);
  const { options, kind } = spec;
  const secondary = typeof options.secondary === "function"
    ? options.secondary()
    : options.secondary;
  const cascade = options.viewOnly
    ? new Set<Cascade>()
    : cascadesOf(options.cascade ?? "save-update, merge", where);
  if (
    cascade.has("delete-orphan") && !options.singleParent &&
    (kind === "manyToOne" || kind === "manyToMany")
  ) {
    throw new MappingError(
      `Cannot cascade delete-orphan along ${where}: the object may have other owners; set singleParent: true if it has not`,
    );
  }
  const [localPairs, remotePairs] = pairsOf(
    parent,
    target,
    kind,
    secondary,
    options.foreignKeys,
    where,
  );
  const relation: Relation = {
    key,
    kind,
    parent,
    target,
    options,
    cascade,
    isMany: kind === "oneToMany" || kind === "manyToMany",
    secondary,
    localPairs,
    remotePairs,
    get inverse(): Relation | undefined {
      return options.backPopulates === undefined
        ? undefined
        : target.relation(options.backPopulates);
    },
    [joinPath]: (left?: FromClause) => joinSteps(relation, left),
  };
  return relation;
}

function pairsOf(
  parent: Mapper,
  target: Mapper,
  kind: RelationSpec<unknown>["kind"],
  secondary: Table | undefined,
  foreignKeys: readonly string[] | undefined,
  where: string,
): [local: readonly Pair[], remote: readonly Pair[]] {
  if (kind === "manyToMany") {
    if (!secondary) {
      throw new MappingError(
        `Cannot relate ${where}: it needs a secondary table`,
      );
    }
    const isSelf = parent.table === target.table;
    return [
      pairs(
        secondary,
        parent.table,
        foreignKeys,
        where,
        isSelf ? 0 : undefined,
      ),
      pairs(secondary, target.table, undefined, where, isSelf ? 1 : undefined),
    ];
  }
  return kind === "manyToOne"
    ? [[], pairs(parent.table, target.table, foreignKeys, where)]
    : [pairs(target.table, parent.table, foreignKeys, where), []];
}

/** What refers from one table to another; the foreign key must be the only one. */
function pairs(
  from: Table,
  to: Table,
  wanted: readonly string[] | undefined,
  where: string,
  nth?: number,
): readonly Pair[] {
  const keys = from.foreignKeys.filter((key) =>
    key.targetTable === to.fullName &&
    (!wanted || key.columns.every((column) => wanted.includes(column.key)))
  );
  const key = keys[nth ?? 0];
  if (!key || (nth === undefined && keys.length > 1)) {
    throw new MappingError(
      keys.length === 0
        ? `Cannot relate ${where}: no foreign key leads from "${from.fullName}" to "${to.fullName}"; add references() or give primaryJoin`
        : `Cannot relate ${where}: several foreign keys lead from "${from.fullName}" to "${to.fullName}" (${
          keys.map((one) => one.columns.map((c) => c.key).join("+")).join(", ")
        }); name one with foreignKeys`,
    );
  }
  return key.columns.map((column, i) => ({
    from: to.column(key.targetColumns[i] ?? "").key,
    to: column.key,
  }));
}
