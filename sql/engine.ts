import {
  type BoundStatement,
  prepare,
  type PreparedStatement,
} from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type {
  BatchOptions,
  Capabilities,
  Driver,
  DriverResult,
  DriverTransaction,
} from "./driver.ts";
import { UnsupportedError } from "./errors.ts";
import { readResult, type Result } from "./rows.ts";
import type { Statement } from "./statement.ts";

/** What happened on an engine, for `trace`. */
export interface EngineEvent {
  /** One statement, or several in one trip. */
  readonly type: "statement" | "batch";
  /** The engine's name. */
  readonly engine: string;
  /** The texts, without values. */
  readonly sql: readonly string[];
  /** How long it took. */
  readonly milliseconds: number;
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
}

/** Rows of several statements, in their order. */
export type BatchResults<A extends readonly Statement<unknown>[]> = {
  -readonly [K in keyof A]: A[K] extends Statement<infer Row> ? Result<Row>
    : never;
};

/** A database and how to speak to it. */
export class Engine {
  /** Its name in logs and errors. */
  readonly name: string;
  /** How it is reached. */
  readonly driver: Driver;
  readonly #options: EngineOptions;

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

  /** Sends a statement: one trip. */
  async execute<Row>(statement: Statement<Row>): Promise<Result<Row>> {
    const prepared = this.prepare(statement);
    this.echo(prepared);
    return readResult(statement.shape, prepared, await this.send(prepared));
  }

  /** Sends statements in one trip; all or none take effect. */
  async batch<const A extends readonly Statement<unknown>[]>(
    statements: A,
    options?: BatchOptions,
  ): Promise<BatchResults<A>> {
    const prepared = statements.map((statement) => this.prepare(statement));
    this.log("BEGIN (implicit)");
    for (const one of prepared) this.echo(one);
    const results = await this.sendBatch(prepared, options);
    this.log("COMMIT");
    return results.map((result, i) =>
      readResult(statements[i]?.shape, prepared[i] as PreparedStatement, result)
    ) as BatchResults<A>;
  }

  /** Sends one text as it is: one trip, no log. */
  send(statement: BoundStatement): Promise<DriverResult> {
    return this.#traced(
      "statement",
      [statement],
      () => this.driver.execute(statement),
    );
  }

  /** Sends texts as they are: one trip, no log. */
  sendBatch(
    statements: readonly BoundStatement[],
    options?: BatchOptions,
  ): Promise<readonly DriverResult[]> {
    if (statements.length === 0) return Promise.resolve([]);
    return this.#traced(
      "batch",
      statements,
      () => this.driver.batch(statements, options),
    );
  }

  /**
   * Opens a transaction.
   *
   * @throws {UnsupportedError} If this engine cannot hold one open.
   */
  begin(): Promise<DriverTransaction> {
    if (this.driver.begin) return this.driver.begin();
    throw new UnsupportedError(
      `Cannot hold a transaction open on engine "${this.name}"; send the statements as one batch()`,
    );
  }

  /** Writes a line to the engine's log, if it has one. */
  log(message: string): void {
    const { echo, log = print } = this.#options;
    if (echo) log(`INFO aludel.engine.${this.name} ${message}`);
  }

  /** Writes a statement and its parameters to the engine's log, if it has one. */
  echo(statement: BoundStatement): void {
    if (!this.#options.echo) return;
    this.log(statement.sql);
    this.log(
      this.#options.hideParameters
        ? "[parameters hidden]"
        : `(${statement.params.map(showParameter).join(", ")})`,
    );
  }

  async #traced<R>(
    type: EngineEvent["type"],
    statements: readonly BoundStatement[],
    send: () => Promise<R>,
  ): Promise<R> {
    const { trace, now = Date.now } = this.#options;
    const start = trace ? now() : 0;
    const report = (error?: unknown): void =>
      trace?.({
        type,
        engine: this.name,
        sql: statements.map(({ sql }) => sql),
        milliseconds: now() - start,
        ...(error === undefined ? {} : { error }),
      });
    try {
      const result = await send();
      report();
      return result;
    } catch (error) {
      report(error);
      const sql = statements.length === 1 ? statements[0]?.sql : undefined;
      throw this.driver.classify(error, sql) ?? error;
    }
  }

  /** Lets go of the connection, where there is one. */
  async close(): Promise<void> {
    await this.driver.close?.();
  }

  /** Lets go of the connection at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function print(line: string): void {
  // deno-lint-ignore no-console -- the one place where a log line leaves
  console.log(line);
}

function showParameter(value: unknown): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (typeof value !== "string") return String(value);
  const shown = value.length > 300 ? `${value.slice(0, 300)}…` : value;
  return `'${shown}'`;
}

/** Makes an engine of a driver. It does no work until a statement is sent. */
export function createEngine(
  driver: Driver,
  options: EngineOptions = {},
): Engine {
  return new Engine(driver, options);
}
