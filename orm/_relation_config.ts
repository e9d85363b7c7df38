import { type FromClause, joinPath, Table } from "../sql/mod.ts";
import { MappingError } from "./errors.ts";
import { named } from "./_names.ts";
import type { Mapper } from "./mapper.ts";
import {
  type Cascade,
  type CollectionFactory,
  type JoinCondition,
  joinSteps,
  overlap,
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

function refusal(where: string, why: string, cause?: unknown): MappingError {
  return new MappingError(`Cannot relate ${where}: ${why}`, { cause });
}

function cascadesOf(text: string, where: string): ReadonlySet<Cascade> {
  const found = new Set<Cascade>();
  for (const word of text.split(",").map((part) => part.trim())) {
    if (word === "" || word === "none") continue;
    if (word === "all") {
      for (const one of CASCADES) if (one !== "delete-orphan") found.add(one);
    } else if (CASCADES.includes(word as Cascade)) found.add(word as Cascade);
    else {
      throw refusal(
        where,
        `"${word}" is no cascade, but all, ${CASCADES.join(", ")} are`,
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
  let spec: RelationSpec<unknown> & { collection?: CollectionFactory };
  let target: Mapper;
  try {
    spec = describe();
    target = mapperOf(spec.target);
  } catch (cause) {
    throw refusal(
      where,
      `its class is not there or not mapped (${cause})`,
      cause,
    );
  }
  const { options, kind, collection } = spec;
  const { secondary, viewOnly } = options;
  const cascade = viewOnly
    ? new Set<Cascade>()
    : cascadesOf(options.cascade ?? "save-update, merge", where);
  if (
    cascade.has("delete-orphan") && !options.singleParent &&
    (kind === "manyToOne" || kind === "manyToMany")
  ) {
    throw refusal(
      where,
      "with delete-orphan the object may have no other owner: set singleParent",
    );
  }
  let inverse: Relation | undefined;
  const relation: Relation = {
    key,
    kind,
    parent,
    target,
    options,
    cascade,
    collection,
    isMany: kind === "oneToMany" || kind === "manyToMany",
    secondary: typeof secondary === "function" ? secondary() : secondary,
    localPairs: [],
    remotePairs: [],
    extra: undefined,
    get inverse(): Relation | undefined {
      return options.backPopulates === undefined || viewOnly
        ? undefined
        : inverse ??= inverseOf(relation, options.backPopulates);
    },
    [joinPath]: (left?: FromClause) => joinSteps(relation, left),
  };
  return Object.assign(relation, pairsOf(relation, where));
}

/** The other side, which must lead back to where this one comes from. */
function inverseOf(relation: Relation, key: string): Relation {
  const { parent, target } = relation;
  const where = `${parent.name}.${relation.key}`;
  const found = target.relations.get(key);
  if (!found) {
    throw refusal(
      where,
      `${target.name} has no "${key}" to go with it; it has ${
        named([...target.relations.keys()])
      }`,
    );
  }
  if (
    !parent.isSubclassOf(found.target.cls) &&
    !found.target.isSubclassOf(parent.cls)
  ) {
    throw refusal(
      where,
      `${target.name}.${key} leads to ${found.target.name}, not back`,
    );
  }
  return found;
}

type Found = Pick<Relation, "localPairs" | "remotePairs" | "extra">;

function pairsOf(relation: Relation, where: string): Found {
  const { kind, secondary, options } = relation;
  const parent = relation.parent.from;
  const target = relation.target.from;
  const { primaryJoin, secondaryJoin, foreignKeys } = options;
  if (kind === "manyToMany") {
    if (!secondary) {
      throw refusal(where, "it needs a secondary table");
    }
    // Both keys of a relation to its own class lead to one table: the first is this side's.
    const isSelf = overlap(parent, target);
    const local = primaryJoin
      ? primaryJoin(secondary, parent, foreignKeys, where).pairs
      : pairs(secondary, parent, foreignKeys, where, isSelf);
    const used = local.map((pair) => pair.to);
    const rest = secondary.columns.map((column) => column.key)
      .filter((key) => !used.includes(key));
    const remote = (secondaryJoin ?? findPairs)(
      secondary,
      target,
      isSelf || foreignKeys ? rest : undefined,
      where,
    );
    return {
      localPairs: local,
      remotePairs: remote.pairs,
      extra: remote.extra,
    };
  }
  const isReferring = kind === "manyToOne";
  const [referring, referenced] = isReferring
    ? [parent, target]
    : [target, parent];
  const found = (primaryJoin ?? findPairs)(
    referring,
    referenced,
    foreignKeys,
    where,
  );
  return {
    localPairs: isReferring ? [] : found.pairs,
    remotePairs: isReferring ? found.pairs : [],
    extra: found.extra,
  };
}

/** The tables of what rows come from, referenced ones first. */
function tablesOf({ members }: FromClause): Table[] {
  return members.filter((one) => one instanceof Table);
}

const findPairs: JoinCondition = (from, to, wanted, where) => ({
  pairs: pairs(from, to, wanted, where),
});

/** What refers from one table to another; unless any will do, the foreign key must be the only one. */
function pairs(
  from: FromClause,
  to: FromClause,
  wanted: readonly string[] | undefined,
  where: string,
  isAny = false,
): readonly Pair[] {
  const all = tablesOf(from).flatMap((table) => table.foreignKeys).filter((
    { columns: [first], targetTable },
  ) =>
    // The key by which a subclass's row belongs to its base's relates nothing.
    first && from.c[first.key] === first &&
    tablesOf(to).some((table) => table.fullName === targetTable)
  );
  const fit = all.filter((key) =>
    !wanted || key.columns.every((column) => wanted.includes(column.key))
  );
  // Of a class that inherits, what its own table says counts first.
  const near = fit.filter(({ columns: [first] }) =>
    first?.table === tablesOf(from).at(-1)
  );
  const keys = near.length > 0 ? near : fit;
  const [key] = keys;
  if (!key || (keys.length > 1 && !isAny)) {
    const known = named(
      all.map((one) => one.columns.map((c) => c.key).join("+")),
    );
    const way = `from "${tablesOf(from).at(-1)?.fullName}" to "${
      tablesOf(to).at(-1)?.fullName
    }"`;
    throw refusal(
      where,
      all.length === 0
        ? `no foreign key leads ${way}; add references() or give primaryJoin`
        : keys.length === 0
        ? `${named(wanted ?? [])} is no foreign key ${way}; it has ${known}`
        : `several foreign keys lead ${way} (${known}); name one with foreignKeys`,
    );
  }
  const target = tablesOf(to).find(({ fullName }) =>
    fullName === key.targetTable
  );
  return key.columns.map((column, i) => ({
    from: target?.column(key.targetColumns[i] ?? "").key ?? "",
    to: column.key,
  }));
}
