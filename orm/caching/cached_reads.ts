import {
  type CacheRegion,
  type GetOrCreateOptions,
  sha256MangleKey,
} from "../../cache/mod.ts";
import {
  type BoundStatement,
  type DriverResult,
  Engine,
} from "../../sql/mod.ts";
import type { Read } from "../loading/loader.ts";
import {
  restoreRows,
  type StoredRows,
  storeRows,
  storeValue,
} from "./stored_rows.ts";

/** How the rows of a query are kept. */
export interface FromCacheOptions
  extends Omit<GetOrCreateOptions<never>, "shouldCache" | "tags"> {
  /**
   * Part of the key. It tells apart databases whose engines have one name: those
   * of tenants, say, of which none may be given the rows of another.
   */
  readonly namespace?: string;
  /**
   * What else the rows can be invalidated by: the tables of a view or of
   * hand-written SQL, which the query does not name.
   */
  readonly tags?: readonly string[];
}

/** An engine as one query with a cache sees it: somebody else answers. */
export class CachedEngine extends Engine {
  /** The engine itself. */
  readonly origin: Engine;
  readonly #answer: () => Promise<DriverResult>;

  /** Stands in for an engine. */
  constructor(origin: Engine, answer: () => Promise<DriverResult>) {
    // Without a log, which is of what is sent.
    super(origin.driver, { name: origin.name });
    this.origin = origin;
    this.#answer = answer;
  }
  /** The rows that were kept, or are kept from now on. */
  override read(_statement: BoundStatement): Promise<DriverResult> {
    return this.#answer();
  }
}

/**
 * Has the reads of one query answered from a region: together, by one entry, so
 * that what the query loads along is as old as the query. They go to their
 * engines, in one trip, where the region has nothing. What is read inside of a
 * transaction that others end is only for who reads there.
 */
export function readThrough(
  reads: readonly Read[],
  region: CacheRegion,
  tags: readonly string[],
  { namespace, ...policy }: FromCacheOptions,
): void {
  if (reads.some(({ engine }) => engine.driver.isInside)) return;
  const sources = reads.map(({ reader, engine, statement, prepared }) => ({
    reader,
    engine,
    statement,
    prepared,
  }));
  let stored: Promise<readonly StoredRows[]> | undefined;
  const obtain = async (): Promise<readonly StoredRows[]> =>
    await region.getOrCreate(
      await keyOf(sources, namespace),
      () =>
        Promise.all(sources.map(async (source) => {
          const { engine, prepared } = source;
          engine.echo(prepared);
          return storeRows(source, await engine.read(prepared));
        })),
      { ...policy, tags },
    );
  reads.forEach((read, i) => {
    read.engine = new CachedEngine(
      read.engine,
      async () => restoreRows((await (stored ??= obtain()))[i]!),
    );
  });
}

/** A query's key: the digest of where its statements go, their texts and their values. */
export async function keyOf(
  reads: readonly Pick<Read, "reader" | "engine" | "prepared">[],
  namespace = "",
): Promise<string> {
  const whole = reads.map(({ reader, engine, prepared }) => [
    reader.identityToken,
    engine.name,
    ...[prepared, ...prepared.rest ?? []].flatMap(({ sql, params }) => [
      sql,
      params.map(storeValue),
    ]),
  ]);
  return `query:${await sha256MangleKey(JSON.stringify([namespace, whole]))}`;
}
