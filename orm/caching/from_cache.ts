import type { CacheRegion } from "../../cache/mod.ts";
import { copyOf, Select, type Statement } from "../../sql/mod.ts";
import {
  type LoadOption,
  planReads,
  type Read,
  type Reader,
  type Receive,
} from "../loading/loader.ts";
import { lazyload } from "../loading/strategies.ts";
import type { Relation } from "../relation.ts";
import type { Session } from "../session.ts";
import {
  CachedEngine,
  type FromCacheOptions,
  keyOf,
  readThrough,
} from "./cached_reads.ts";
import { followCommits, isByRow } from "./commits.ts";
import { QueryCacheError } from "./errors.ts";
import { tagsOf } from "./tags.ts";

/** An option that has a query answered from a region. */
export interface FromCache extends LoadOption {
  /** @ignore */
  readonly fromCache: {
    readonly region: CacheRegion;
    readonly namespace: string | undefined;
  };
}

/**
 * Answers a query from a region, with what its other options load along: by
 * statement and values, in one read of the cache and no trip to the database.
 * Where the region has nothing, one caller asks the database and the others
 * wait, or take the stale rows.
 *
 * Rows are kept, never objects: they go through the session's identity map as
 * if they had just been read. A commit invalidates what was kept of what it
 * wrote, see {@linkcode followCommits}.
 *
 * The rows are read where writes go, as a replica that lags would have everybody
 * see what is old. A session goes around the cache while it holds a transaction
 * in which it wrote, in one that it has joined, and in `optimistic()`.
 *
 * @example
 * ```ts
 * import { memory } from "@aludel/aludel/backends/memory";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createRegion } from "@aludel/aludel/cache";
 * import { Entity, integer, Session, text } from "@aludel/aludel/orm";
 * import { fromCache } from "@aludel/aludel/orm/caching";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", { name: text() }) {}
 *
 * const trips: string[] = [];
 * await using engine = createEngine(sqlite(":memory:"), {
 *   trace: ({ type }) => void trips.push(type),
 * });
 * await Base.metadata.createAll(engine);
 * const region = createRegion({ name: "users" }).configure({ backend: memory() });
 *
 * const names = async () => {
 *   await using session = new Session({ bind: engine });
 *   const users = await session.scalars(select(User).options(fromCache(region)));
 *   return users.map(({ name }) => name);
 * };
 * const add = async (name: string) => {
 *   await using session = new Session({ bind: engine });
 *   session.add(new User({ name }));
 *   await session.commit();
 * };
 *
 * await add("ed");
 * await names();
 * trips.length = 0;
 * deepStrictEqual([await names(), trips], [["ed"], []]);
 * await add("wendy");
 * deepStrictEqual(await names(), ["ed", "wendy"]);
 * ```
 *
 * @throws {QueryCacheError} If the statement writes or locks rows.
 */
export function fromCache(
  region: CacheRegion,
  options: FromCacheOptions = {},
): FromCache {
  followCommits(region);
  // A statement that is used again keeps the text that it was written as.
  const bare = new WeakMap<Statement<unknown>, Statement<unknown>>();
  const option: FromCache = {
    kind: "loader",
    fromCache: { region, namespace: options.namespace },
    plan(statement, reader, receive) {
      refuseWrites(statement);
      let rest = bare.get(statement);
      if (!rest) {
        const optionList = statement.optionList.filter((one) => one !== option);
        bare.set(statement, rest = copyOf(statement, { optionList }));
      }
      const reads = planReads(whereWritesGo(reader), rest, receive);
      readThrough(
        reads,
        region,
        [
          ...new Set([
            ...tagsOfAll(reads, isByRow(region)),
            ...options.tags ?? [],
          ]),
        ],
        options,
      );
      return reads;
    },
  };
  return option;
}

/**
 * Answers later loads of a relation from a region, each set of owners that is
 * asked for together being one entry.
 *
 * @example
 * ```ts ignore
 * const [user] = await session.scalars(
 *   select(User).options(relationCache(User.r.addresses, region)),
 * );
 * await user.addresses.load();
 * ```
 */
export function relationCache(
  relation: Relation,
  region: CacheRegion,
  options?: FromCacheOptions,
): LoadOption {
  return lazyload(relation, fromCache(region, options));
}

/** Forgets what is kept of one query, whatever was written: as it stands, with its options. */
export async function invalidateQuery(
  session: Session,
  statement: Statement<unknown>,
): Promise<void> {
  for (const option of statement.optionList) {
    if (!isFromCache(option)) continue;
    const { region, namespace } = option.fromCache;
    for (const reader of session.readersOf?.(statement) ?? [session]) {
      const reads = option.plan(statement, reader).map(
        ({ reader, engine, prepared }) => ({
          reader,
          engine: engine instanceof CachedEngine ? engine.origin : engine,
          prepared,
        }),
      );
      await region.delete(await keyOf(reads, namespace));
    }
  }
}

function isFromCache(option: unknown): option is FromCache {
  return typeof option === "object" && option !== null && "fromCache" in option;
}

function refuseWrites(statement: Statement<unknown>): void {
  if (
    statement.isRead && !(statement instanceof Select && statement.state.lock)
  ) return;
  throw new QueryCacheError(
    `Cannot answer the ${statement.kind} from a cache: it ${
      statement.isRead ? "locks" : "writes"
    } rows; leave out fromCache()`,
  );
}

/** Who finds a row by its key is told of that row; who sees more, of every table in it. */
function tagsOfAll(reads: readonly Read[], byRow: boolean): string[] {
  return reads.flatMap(({ statement }) => tagsOf(statement, byRow));
}

/** A session as seen by queries whose rows are kept: it reads from where it writes to. */
function whereWritesGo(reader: Reader): Reader {
  const read = (statement: Statement<unknown>, receive?: Receive): Read =>
    reader.read(statement, receive, true);
  const { identityMap, identityToken } = reader;
  return {
    identityMap,
    ...identityToken !== undefined && { identityToken },
    expunge: (object) => reader.expunge(object),
    engineOf: (statement) => reader.engineOf(statement, true),
    read,
    run: (reads) => reader.run(reads),
    load: (statement) => reader.load(statement),
    lazyLoaded: (relation, owners) => reader.lazyLoaded?.(relation, owners),
  };
}
