/**
 * What a Worker with a region, KV and the Durable Object lock carries: the entry
 * that the budget measures.
 */
import { createRegion } from "@aludel/aludel/cache";
import { kv, type KvNamespaceLike } from "@aludel/aludel/backends/kv";
import {
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "@aludel/aludel/backends/durable-object";

interface Env {
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const region = createRegion({ name: "widgets" });
const getWidget = region.cacheOnArguments(
  async (id: number) => await Promise.resolve({ id }),
  { namespace: "widget" },
);

export default {
  async fetch(_request: Request, env: Env): Promise<Response> {
    region.configure({
      backend: kv(env.CACHE),
      lock: durableObjectLock(env.LOCKS),
      expirationTime: 300,
    });
    return Response.json(await getWidget(2));
  },
};
