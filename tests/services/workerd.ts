/**
 * Workers on the real runtime: workerd with KV, D1, Durable Objects and the
 * Cache API, started by a test and gone after it.
 *
 * It runs through miniflare, so what holds here is local behaviour: KV is not
 * eventually consistent, D1 has no replicas, and time is not frozen between I/O.
 *
 * Start one per test file, at the top, and dispose of it in
 * `Deno.test.afterAll(() => workerd.dispose())`; or `await using` inside a test.
 * Deno's sanitizers stay on either way.
 *
 * @module
 */
import { Miniflare, type WorkerOptions } from "miniflare";
import type { Readable } from "node:stream";
import { bundleWorker, type WorkerEntry } from "./bundle.ts";
import {
  emptyD1,
  RELAY_SCRIPT,
  type RelayAnswer,
  type RelayedD1,
  relayedD1,
} from "./d1_binding.ts";

/** One Worker and what it is bound to. */
export interface WorkerSpec {
  /**
   * Names it among several.
   * @default {"worker"}
   */
  readonly name?: string;
  /** Its code: a TypeScript file or text to bundle, or finished module text. */
  readonly entry: WorkerEntry | string;
  /** KV bindings. Workers that use one name share one namespace. */
  readonly kv?: readonly string[];
  /** D1 bindings. Workers that use one name share one database. */
  readonly d1?: readonly string[];
  /**
   * Durable Object bindings: the class's name, and the Worker that exports it if
   * it is another one. Storage is SQLite.
   */
  readonly durableObjects?: Readonly<Record<string, DurableObjectSpec>>;
  /** Bindings to other Workers: binding name to Worker name. */
  readonly services?: Readonly<Record<string, string>>;
  /** Plain values of `env`. */
  readonly vars?: Readonly<Record<string, string | number | boolean>>;
  /** @default {["nodejs_als"]} */
  readonly compatibilityFlags?: readonly string[];
}

/** A Durable Object class, by name or with the Worker that exports it. */
export type DurableObjectSpec =
  | string
  | { readonly className: string; readonly worker: string };

/** What to start. */
export interface WorkerdOptions {
  /** The Workers; the first one answers a `fetch` that names none. */
  readonly workers?: readonly WorkerSpec[];
  /** D1 databases for the test alone, besides those of the Workers. */
  readonly d1?: readonly string[];
  /** KV namespaces for the test alone, besides those of the Workers. */
  readonly kv?: readonly string[];
  /**
   * Takes what Workers write to the console, a chunk at a time. By default it
   * goes to the console of the test.
   */
  readonly onLog?: (text: string) => void;
}

/** How to send a request. */
export interface WorkerdFetchInit extends RequestInit {
  /** The Worker that answers. */
  readonly worker?: string;
}

/** A KV namespace as seen from the test. */
export interface KvNamespace {
  /** The value as text, or `null`. */
  get(key: string): Promise<string | null>;
  /** The value as JSON, or `null`. */
  get<T>(key: string, type: "json"): Promise<T | null>;
  /** The value as bytes, or `null`. */
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  /** The values of up to 100 keys, as one operation. */
  get(keys: string[], type?: "text"): Promise<Map<string, string | null>>;
  /** The value and its metadata. */
  getWithMetadata<Metadata = unknown>(
    key: string,
    options?: unknown,
  ): Promise<{ value: string | null; metadata: Metadata | null }>;
  /** Stores a value; `expirationTtl` in seconds, at least 60. */
  put(
    key: string,
    value: string | ArrayBuffer | ArrayBufferView | ReadableStream,
    options?: {
      expiration?: number;
      expirationTtl?: number;
      metadata?: unknown;
    },
  ): Promise<void>;
  /** Forgets a key. */
  delete(key: string): Promise<void>;
  /** Up to 1000 keys, ordered by their UTF-8 bytes. */
  list(options?: {
    prefix?: string;
    limit?: number;
    cursor?: string;
  }): Promise<{
    keys: { name: string; expiration?: number; metadata?: unknown }[];
    list_complete: boolean;
    cursor?: string;
  }>;
}

/** A running workerd. */
export interface Workerd extends AsyncDisposable {
  /** Where it listens on the loopback interface, for clients other than ours. */
  readonly url: URL;
  /**
   * Sends a request to a Worker; a path is enough. The body has arrived whole
   * when this returns. What a Worker throws and does not catch arrives as status
   * 500 with the error's text.
   *
   * @throws {TypeError} If no Worker has that name.
   */
  fetch(input: string | URL, init?: WorkerdFetchInit): Promise<Response>;
  /**
   * A D1 binding that the test itself can use; the database is the one that
   * Workers see under this name.
   */
  d1(name: string): RelayedD1;
  /** A KV namespace that the test itself can use. */
  kv(name: string): Promise<KvNamespace>;
  /** Drops every table, view and trigger of a database. */
  emptyD1(name: string): Promise<void>;
  /** Ends the process; nothing of it is left. Calling it again does nothing. */
  dispose(): Promise<void>;
}

const RELAY = "aludel-relay";
const COMPATIBILITY_DATE = "2026-07-01";

/**
 * Starts workerd.
 *
 * @example A database for a test
 * ```ts
 * import { startWorkerd } from "./workerd.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * await using workerd = await startWorkerd({ d1: ["DB"] });
 * const { results } = await workerd.d1("DB").prepare("SELECT 1 AS n").all();
 * deepEqual(results, [{ n: 1 }]);
 * ```
 *
 * @throws {Error} If a Worker does not compile or a binding names no Worker;
 * nothing is left running then.
 */
export async function startWorkerd(
  options: WorkerdOptions = {},
): Promise<Workerd> {
  const specs = options.workers ?? [];
  const kvNames = names(options.kv, specs.map((spec) => spec.kv));
  const d1Names = names(options.d1, specs.map((spec) => spec.d1));
  const relay: WorkerOptions = {
    name: RELAY,
    modules: [{
      type: "ESModule",
      path: "relay.js",
      contents: RELAY_SCRIPT,
    }],
    compatibilityDate: COMPATIBILITY_DATE,
    kvNamespaces: kvNames,
    d1Databases: d1Names,
  };
  const onLog = options.onLog;
  const miniflare = new Miniflare({
    workers: [...workerOptions(specs), relay],
    ...(onLog === undefined ? {} : {
      handleRuntimeStdio(stdout: Readable, stderr: Readable) {
        const report = (chunk: unknown) => onLog(String(chunk));
        stdout.on("data", report);
        stderr.on("data", report);
      },
    }),
  });
  let ended: Promise<void> | undefined;
  const dispose = () => ended ??= miniflare.dispose();
  let url: URL;
  try {
    url = await miniflare.ready;
  } catch (cause) {
    await dispose().catch(() => {});
    throw new Error(
      `Cannot start workerd: ${firstLine(cause)}; see the cause`,
      { cause },
    );
  }

  const dispatch = async (
    input: string | URL,
    { worker, ...init }: WorkerdFetchInit,
  ): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (worker !== undefined) headers.set("MF-Route-Override", worker);
    const answer = await miniflare.dispatchFetch(
      new URL(input, "http://worker.test/").href,
      // deno-lint-ignore no-explicit-any -- undici's init and the web's differ in name only
      { redirect: "manual", ...init, headers: [...headers] } as any,
    );
    const body = await answer.arrayBuffer();
    return new Response(body.byteLength === 0 ? null : body, {
      status: answer.status,
      statusText: answer.statusText,
      headers: [...answer.headers],
    });
  };

  const workerd: Workerd = {
    url,
    fetch(input, init = {}) {
      const worker = init.worker ?? specs[0]?.name ?? "worker";
      if (!specs.some((spec) => (spec.name ?? "worker") === worker)) {
        throw new TypeError(
          `Cannot send a request to Worker "${worker}": none has this name; ` +
            "start it with `workers`",
        );
      }
      return dispatch(input, { ...init, worker });
    },
    d1(name) {
      known("D1 database", name, d1Names);
      return relayedD1(name, async (call) => {
        const answer = await dispatch("/", {
          worker: RELAY,
          method: "POST",
          body: JSON.stringify(call),
        });
        return await answer.json() as RelayAnswer;
      });
    },
    async kv(name) {
      known("KV namespace", name, kvNames);
      // Miniflare types it with a package that is not a dependency.
      const namespace: unknown = await miniflare.getKVNamespace(name, RELAY);
      return namespace as KvNamespace;
    },
    emptyD1: (name) => emptyD1(workerd.d1(name)),
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
  return workerd;
}

function workerOptions(specs: readonly WorkerSpec[]): WorkerOptions[] {
  // Eight Workers of one source are bundled once.
  const bundles = new Map<WorkerEntry, string>();
  return specs.map((spec) => {
    const { entry } = spec;
    if (typeof entry === "string") return workerOption(spec, entry);
    const script = bundles.get(entry) ?? bundleWorker(entry);
    bundles.set(entry, script);
    return workerOption(spec, script);
  });
}

function workerOption(spec: WorkerSpec, contents: string): WorkerOptions {
  const durableObjects = Object.entries(spec.durableObjects ?? {}).map((
    [binding, object],
  ) => {
    const { className, worker } = typeof object === "string"
      ? { className: object, worker: undefined }
      : object;
    return [binding, {
      className,
      useSQLite: true,
      ...(worker === undefined ? {} : { scriptName: worker }),
    }] as const;
  });
  return {
    name: spec.name ?? "worker",
    modules: [{
      type: "ESModule",
      path: "worker.js",
      contents,
    }],
    compatibilityDate: COMPATIBILITY_DATE,
    compatibilityFlags: [...spec.compatibilityFlags ?? ["nodejs_als"]],
    kvNamespaces: [...spec.kv ?? []],
    d1Databases: [...spec.d1 ?? []],
    durableObjects: Object.fromEntries(durableObjects),
    serviceBindings: { ...spec.services },
    bindings: { ...spec.vars },
  };
}

function names(
  own: readonly string[] | undefined,
  others: readonly (readonly string[] | undefined)[],
): string[] {
  return [...new Set([...own ?? [], ...others.flatMap((some) => some ?? [])])];
}

function known(what: string, name: string, all: readonly string[]): void {
  if (all.includes(name)) return;
  throw new TypeError(
    `Cannot use ${what} "${name}": it was not started; name it in the options`,
  );
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0]!;
}
