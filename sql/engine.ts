import {
  type BoundStatement,
  prepare,
  type PreparedStatement,
  textsOf,
} from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type {
  BatchOptions,
  Capabilities,
  Driver,
  DriverResult,
} from "./driver.ts";
import { SqlError } from "./errors.ts";
import { readResult, type Result } from "./rows.ts";
import { showRow } from "./_echo.ts";
import type { Statement } from "./statement.ts";
import {
  ConnectionError,
  OverloadedError,
  TimeoutError,
} from "./violations.ts";

/** What happened on an engine, for `trace`. */
export interface EngineEvent {
  /** One statement, several in one trip, or an end of a held transaction. */
  readonly type: "statement" | "batch" | "begin" | "commit" | "rollback";
  /** The engine's name. */
  readonly engine: string;
  /** The texts, without values. */
  readonly sql: readonly string[];
  /** How long it took. */
  readonly milliseconds: number;
  /** How many rows came back. */
  readonly rows: number;
  /** How often it was tried before, counted from 0. */
  readonly attempt: number;
  /** The error, where it failed. */
  readonly error?: unknown;
}

/** Settings of an engine. */
export interface EngineOptions {
  /** Its name in logs and errors. @default {"default"} */
  readonly name?: string;
  /** Writes statements and parameters to the log; `"debug"` writes rows too. @default {false} */
  readonly echo?: boolean | "debug";
  /** Leaves parameters out of the log. @default {false} */
  readonly hideParameters?: boolean;
  /** Where the log goes. @default {console.log} */
  readonly log?: (line: string) => void;
  /** Is told of every trip. */
  readonly trace?: (event: EngineEvent) => void;
  /** The clock, in milliseconds. @default {Date.now} */
  readonly now?: () => number;
  /** How often a read is sent again after an error that says it may be; writes never are. @default {2} */
  readonly retries?: number;
  /** The longest wait before the first retry, in milliseconds; each later one may wait twice as long. @default {50} */
  readonly retryDelay?: number;
  /** Waits. @default by `setTimeout` */
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
  /** A number from 0 up to 1, which spreads retries. @default {Math.random} */
  readonly random?: () => number;
}

/** Rows of several statements, in their order. */
export type BatchResults<A extends readonly Statement<unknown>[]> = {
  -readonly [K in keyof A]: A[K] extends Statement<infer Row> ? Result<Row>
    : never;
};

/** A read that waits for the others of its tick, and what awaits its answer. */
type Waiting = readonly [
  statement: BoundStatement,
  answer: (result: Promise<DriverResult>) => void,
];

/** A database and how to speak to it. */
export class Engine {
  /** Its name in logs and errors. */
  readonly name: string;
  /** How it is reached. */
  readonly driver: Driver;
  readonly #options: EngineOptions;
  #waiting: Waiting[] = [];

  /** Use {@linkcode createEngine}. */
  constructor(driver: Driver, options: EngineOptions = {}) {
    this.driver = driver;
    this.name = options.name ?? "default";
    this.#options = options;
  }

  /** The language it speaks. */
  get dialect(): Dialect {
    return this.driver.dialect;
  }

  /** What it can do. */
  get capabilities(): Capabilities {
    return this.driver.capabilities;
  }

  /** Turns a statement into text and values for this engine. */
  prepare(statement: Statement<unknown>): PreparedStatement {
    return prepare(statement, this.dialect);
  }

  /** Sends a statement; reads of the same tick share one trip. */
  async execute<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    const prepared = this.prepare(statement);
    this.echo(prepared);
    return this.#received(
      statement,
      prepared,
      await (statement.isRead ? this.read(prepared) : this.send(prepared)),
    );
  }

  #received<Row>(
    { shape }: Statement<Row>,
    prepared: PreparedStatement,
    result: DriverResult,
  ): Result<Row> {
    this.echoRows(result);
    return readResult(shape, prepared, result);
  }

  /** Sends statements in one trip; all or none take effect. */
  async batch<const A extends readonly Statement<unknown>[]>(
    statements: A,
    options?: BatchOptions,
  ): Promise<BatchResults<A>> {
    const prepared = statements.map((statement) => this.prepare(statement));
    this.log("BEGIN (implicit)");
    prepared.forEach((one) => this.echo(one));
    const results = await this.sendBatch(prepared, {
      isRead: statements.every(({ isRead }) => isRead),
      ...options,
    }).catch((error) => {
      this.log("ROLLBACK");
      throw error;
    });
    this.log("COMMIT");
    return results.map((result, i) =>
      this.#received(statements[i]!, prepared[i]!, result)
    ) as BatchResults<A>;
  }

  /**
   * Sends a text that only reads. Those of one tick go in one trip, and one
   * that fails does not fail its neighbours: they are sent again without it.
   * No log.
   */
  read(statement: BoundStatement): Promise<DriverResult> {
    return new Promise((resolve) => {
      if (this.#waiting.push([statement, resolve]) === 1) {
        queueMicrotask(() => this.#sendWaiting());
      }
    });
  }

  /** Sends one text as it is: one trip, no log. */
  async send(statement: BoundStatement): Promise<DriverResult> {
    if (statement.rest) {
      return (await this.sendBatch([statement]))[0] as DriverResult;
    }
    return this.#sendOne(statement, false);
  }

  /** Sends texts as they are: one trip, no log. */
  async sendBatch(
    statements: readonly BoundStatement[],
    options: BatchOptions = {},
  ): Promise<readonly DriverResult[]> {
    if (statements.length === 0) return [];
    const texts = statements.flatMap(textsOf);
    const results = await this.trip(
      "batch",
      texts,
      () => this.driver.batch(texts, options),
      options.isRead,
    );
    let at = 0;
    return statements.map(({ rest }) =>
      rest
        ? wholeOf(results.slice(at, at += 1 + rest.length))
        : results[at++] as DriverResult
    );
  }

  #sendWaiting(): void {
    const waiting = this.#waiting.splice(0);
    const alone = (statement: BoundStatement) => this.#sendOne(statement, true);
    const together = waiting.length > 1
      ? this.sendBatch(waiting.map(([one]) => one), { isRead: true })
        .catch((error) => {
          // What is wrong with the way there is wrong with all of them.
          if (isAboutTheWay(error)) throw error;
        })
      : undefined;
    waiting.forEach(([statement, answer], i) =>
      answer(
        together?.then((results) => results?.[i] ?? alone(statement)) ??
          alone(statement),
      )
    );
  }

  #sendOne(statement: BoundStatement, isRead: boolean): Promise<DriverResult> {
    return this.trip(
      "statement",
      [statement],
      () => this.driver.execute(statement),
      isRead,
    );
  }

  /** Writes a line to the engine's log, if it has one. */
  log(message: string, level = "INFO"): void {
    // deno-lint-ignore no-console -- the one place where a log line leaves
    const { echo, log = console.log } = this.#options;
    if (echo) log(`${level} aludel.engine.${this.name} ${message}`);
  }

  /** Writes a statement and its parameters to the engine's log, if it has one. */
  echo(statement: BoundStatement): void {
    const { echo, hideParameters } = this.#options;
    if (!echo) return;
    for (const { sql, params } of textsOf(statement)) {
      this.log(sql);
      this.log(hideParameters ? "[parameters hidden]" : showRow(params));
    }
  }

  /** Writes rows to the engine's log, where `echo` is `"debug"`. */
  echoRows({ columns, rows }: DriverResult): void {
    if (this.#options.echo !== "debug" || columns.length === 0) return;
    this.log(`Col ${showRow(columns)}`, "DEBUG");
    for (const row of rows) this.log(`Row ${showRow(row)}`, "DEBUG");
  }

  /**
   * Makes one trip, for the layers above: tells `trace` of it, names its error,
   * and makes it again where it only reads and may be made again.
   */
  async trip<R>(
    type: EngineEvent["type"],
    statements: readonly BoundStatement[],
    send: () => Promise<R>,
    isRead = false,
  ): Promise<R> {
    // In the order of the program: reads that wait go before what comes.
    this.#sendWaiting();
    const {
      trace,
      now = Date.now,
      retries = 2,
      retryDelay = 50,
      sleep = (ms) => new Promise((done) => setTimeout(done, ms)),
      random = Math.random,
    } = this.#options;
    for (let attempt = 0;; attempt++) {
      const start = now();
      let result: R | undefined;
      let error: unknown;
      try {
        result = await send();
        return result;
      } catch (thrown) {
        const sql = statements.length === 1
          ? statements[0]?.sql
          : (thrown as { readonly sql?: string } | undefined)?.sql;
        error = this.driver.classify(thrown, sql) ?? thrown;
        if (
          !isRead || attempt >= retries ||
          !(error instanceof SqlError && error.isRetryable)
        ) throw error;
      } finally {
        trace?.({
          type,
          engine: this.name,
          sql: statements.map(({ sql }) => sql),
          milliseconds: now() - start,
          rows: [result].flat().flatMap((one) =>
            (one as DriverResult | undefined)?.rows ?? []
          ).length,
          attempt,
          error,
        });
      }
      await sleep(random() * retryDelay * 2 ** attempt);
    }
  }

  /** Lets go of the connection, where there is one. */
  async close(): Promise<void> {
    this.#sendWaiting();
    await this.driver.close?.();
  }

  /** Lets go of the connection at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

// What the parts of one statement gave is what it gave.
function wholeOf(parts: readonly DriverResult[]): DriverResult {
  return {
    columns: parts[0]?.columns ?? [],
    rows: parts.flatMap(({ rows }) => rows),
    changes: parts.reduce((sum, { changes = 0 }) => sum + changes, 0),
  };
}

function isAboutTheWay(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof TimeoutError ||
    error instanceof OverloadedError;
}

/** Makes an engine of a driver. It does no work until a statement is sent. */
export function createEngine(
  driver: Driver,
  options: EngineOptions = {},
): Engine {
  return new Engine(driver, options);
}
