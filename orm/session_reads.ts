/**
 * Reads of a session: statements with their options become reads, those of
 * one engine share a trip, and rows become objects.
 */
import {
  type DriverResult,
  readResult,
  type Result,
  rowSource,
  select,
  type Statement,
} from "../sql/mod.ts";
import { mapperIn } from "./_bind.ts";
import { planReads, type Read } from "./loading/loader.ts";
import { type AnyClass, type Mapper, mapperOf } from "./mapper.ts";
import type { Session } from "./session.ts";
import { populateExisting } from "./session_options.ts";
import { type OpenUnit, send, type SessionCore } from "./session_unit.ts";
import { identityKey, stateOf } from "./state.ts";
import type { InstanceOf } from "./types.ts";

/** Runs statements together, or lets `onExecute` answer each. */
export async function batch(
  session: Session,
  statements: readonly Statement<unknown>[],
  isRelationshipLoad = false,
): Promise<(readonly unknown[])[]> {
  const { onExecute } = session.options;
  const run = async (statements: readonly Statement<unknown>[]) => {
    const runs = statements.map((statement) => planReads(session, statement));
    await session.run(runs.flat());
    return runs.map(([read]) => read?.rows as Result<unknown>);
  };
  return onExecute
    ? await Promise.all(statements.map((statement) =>
      onExecute({
        ...{ session, statement, isRelationshipLoad },
        mapper: mapperIn(statement),
        invoke: async (changed = statement) =>
          (await run([changed]))[0] as Result<unknown>,
      })
    ))
    : await run(statements);
}

/** Sends reads that are prepared, one trip for each engine. */
export async function sendReads(
  { unit }: SessionCore,
  reads: readonly Read[],
): Promise<void> {
  const byEngine = Map.groupBy(reads, (read) => read.engine);
  const answers = new Map<Read, DriverResult>();
  await Promise.all([...byEngine].map(async ([engine, group]) => {
    const prepared = group.map((read) => read.prepared);
    for (const one of prepared) engine.echo(one);
    // Reads of one tick share a trip, whoever asks.
    const sent = unit.held?.has(engine) ||
        group.some(({ statement }) => !statement.isRead)
      ? await send(unit, engine, prepared)
      : await Promise.all(prepared.map((one) => engine.read(one)));
    group.forEach((read, i) => answers.set(read, sent[i] as DriverResult));
  }));
  // In the order of the reads: a loader finds the objects it loads onto.
  for (const read of reads) take(unit, read, answers.get(read)!);
}

/** Makes rows of what a statement was answered, and hands them on. */
export function take(
  { objects }: OpenUnit,
  read: Read,
  answer: DriverResult,
): void {
  const { statement, prepared, reader: { identityToken } } = read;
  const overwrite = statement.optionList.includes(populateExisting);
  const rows = readResult(
    statement.shape,
    prepared,
    answer,
    (source) => objects.hydrate(source, overwrite, identityToken),
  );
  read.rows = rows;
  read.receive?.(rows);
}

/** Sends a read where it belongs by now, since something was written. */
export function route(read: Read): void {
  const engine = read.reader.engineOf(read.statement);
  if (engine === read.engine) return;
  read.engine = engine;
  read.prepared = engine.prepare(read.statement);
}

/** The values of a primary key, given as one, as a list, or by name. */
export function keyValues(mapper: Mapper, key: unknown): unknown[] {
  return mapper.primaryKey.map((column, i) => {
    const at = Array.isArray(key) ? i : mapper.keyOf(column);
    // Bytes and dates are objects too, but hold nothing by that name.
    return key && typeof key === "object" && at in key
      ? (key as Record<PropertyKey, unknown>)[at]
      : key;
  });
}

/** The object of a primary key: one that is known and not stale, else its row. */
export async function getObject<C extends AnyClass>(
  session: Session,
  cls: C,
  key: unknown,
  fresh: boolean,
): Promise<InstanceOf<C> | null> {
  const mapper = mapperOf(cls);
  const values = keyValues(mapper, key);
  const known = session.identityMap.get(
    identityKey(mapper, values, session.identityToken),
  );
  const state = known && stateOf(known);
  // What the program set since stays; all else is read anew.
  if (state) state.isExpired ||= fresh;
  if (state && !state.isExpired && !mapper.polymorphism?.lacks?.(state)) {
    return known instanceof mapper.cls ? known as InstanceOf<C> : null;
  }
  const [found = null] = await session.execute(
    // Of a class that inherits, all that is known of the object is read anew.
    select({ [rowSource]: (state?.mapper ?? mapper).source })
      .where(
        ...mapper.primaryKey.map((column, i) => column.eq(values[i])),
      ),
  );
  // Its row is gone.
  if (known && found === null && session.has(known)) session.expunge(known);
  return found instanceof mapper.cls ? found as InstanceOf<C> : null;
}
