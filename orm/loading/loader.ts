import type {
  Engine,
  PreparedStatement,
  Result,
  Select,
  Statement,
} from "../../sql/mod.ts";
import type { Loads } from "../types.ts";

/** One statement of a read, and who takes its rows. */
export interface Read {
  /** The statement. */
  readonly statement: Statement<unknown>;
  /** Where it goes. */
  readonly engine: Engine;
  /** Its text and values. */
  readonly prepared: PreparedStatement;
  /** Takes its rows, after those of the reads before it were taken. */
  readonly receive: ((rows: readonly unknown[]) => void) | undefined;
  /** Its rows, once they are there. */
  rows: readonly unknown[];
}

/** What loaders use of a session. */
export interface Reader {
  /** Prepares a statement for the engine it goes to. */
  read(
    statement: Statement<unknown>,
    receive?: (rows: readonly unknown[]) => void,
  ): Read;
  /** Sends reads, one trip for each engine. */
  run(reads: readonly Read[]): Promise<Result<unknown>[]>;
}

/** An option that may change a query before it is sent. */
export interface QueryOption {
  /** The query as it is sent. */
  rewrite?(query: Statement<unknown>): Statement<unknown>;
}

/** An option that loads a relation along with a query. */
export interface LoaderOption<
  Key extends string = string,
  Sub extends readonly unknown[] = readonly unknown[],
> extends Loads<Key, Sub> {
  /** @ignore */
  readonly kind: "loader";
  /**
   * The reads that load it, in one trip with the query.
   *
   * @param query The query whose objects get it.
   * @param parents Those objects, once they are there.
   */
  plan(
    query: Select<unknown>,
    parents: () => readonly object[],
    reader: Reader,
  ): readonly Read[];
}

/** Whether an option loads something. */
export function isLoader(option: unknown): option is LoaderOption {
  return (option as { kind?: unknown }).kind === "loader";
}
