/** The Worker that the tests run in workerd. */
import {
  countEvents,
  createRegion,
  platformRuntime,
  wrapBackend,
} from "../../cache/mod.ts";
import { cacheApi } from "../../backends/cache_api.ts";
import {
  durableObject,
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "../../backends/durable_object.ts";
import { kv, type KvNamespaceLike } from "../../backends/kv.ts";
import { memory } from "../../backends/memory.ts";
import { cacheBackendCases, PassThrough } from "../conformance/cache/cases.ts";

export { CacheCoordinator } from "../../backends/durable_object.ts";

interface Env {
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const counter = countEvents();
const region = createRegion({ name: "widgets", trace: counter.trace });
const refreshing = createRegion({ name: "stale", staleWhileRevalidate: true });
/** Its leaders are not bound to anything: they die with their request. */
const mortal = createRegion({
  name: "mortal",
  waitTimeout: 0.5,
  runtime: { ...platformRuntime(), waitUntil() {} },
});

const pause = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const routes: Record<string, (env: Env) => Promise<unknown>> = {
  async stampede() {
    const values = await Promise.all(
      Array.from(
        { length: 25 },
        () =>
          region.getOrCreate("stampede", async () => {
            await pause(250);
            return crypto.randomUUID();
          }),
      ),
    );
    const { create, hop } = counter.reset();
    return { values: [...new Set(values)], create, hop };
  },
  async throwing() {
    const results = await Promise.allSettled(
      Array.from(
        { length: 25 },
        () =>
          region.getOrCreate("throwing", async () => {
            await pause(100);
            throw new Error("boom");
          }),
      ),
    );
    const { lead } = counter.reset();
    return {
      failed: results.filter((r) => r.status === "rejected").length,
      lead,
    };
  },
  async stale() {
    const started = Date.now();
    const value = await refreshing.getOrCreate("stale", async () => {
      await pause(300);
      return Date.now();
    });
    return { value, took: Date.now() - started };
  },
  async abandon() {
    mortal.getOrCreate("mortal", async () => {
      await pause(100);
      return "never";
    }).catch(() => {});
    await pause(1);
    return "gone";
  },
  async follow() {
    const started = Date.now();
    const value = await mortal.getOrCreate("mortal", () => "taken over");
    return { value, took: Date.now() - started };
  },
  async suite({ CACHE, LOCKS }) {
    const failures: string[] = [];
    let passed = 0;
    const backends = [kv(CACHE), durableObject(LOCKS), cacheApi(), memory()];
    for (const plain of backends) {
      for (const backend of [plain, wrapBackend(plain, [PassThrough])]) {
        for (const { name, run } of cacheBackendCases()) {
          try {
            await run(backend, {});
            passed++;
          } catch (error) {
            failures.push(`${backend.name}: ${name}: ${error}`);
          }
        }
      }
    }
    return { passed, failures };
  },
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const configuration = { backend: kv(env.CACHE), expirationTime: 60 };
    region.configure({ ...configuration, lock: durableObjectLock(env.LOCKS) });
    refreshing.configure({ ...configuration, expirationTime: 0.5 });
    mortal.configure(configuration);
    const route = routes[new URL(request.url).pathname.slice(1)];
    return Response.json(await route?.(env) ?? null);
  },
};
