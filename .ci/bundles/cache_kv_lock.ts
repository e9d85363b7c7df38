/**
 * A region on KV with the Durable Object lock: what a caching Worker calls. The
 * coordinator that one Worker exports besides is not part of it.
 */
import { createRegion } from "@aludel/aludel/cache";
import { durableObjectLock } from "@aludel/aludel/backends/durable-object";
import { kv } from "@aludel/aludel/backends/kv";

interface Bindings {
  CACHE: Parameters<typeof kv>[0];
  LOCKS: Parameters<typeof durableObjectLock>[0];
}

const region = createRegion({ name: "widgets" });

const getWidget = region.cacheOnArguments(
  (id: number) => Promise.resolve({ id }),
  { namespace: "widget" },
);

export default {
  async fetch(_request: Request, env: Bindings): Promise<Response> {
    region.configure({
      backend: kv(env.CACHE),
      lock: durableObjectLock(env.LOCKS),
      expirationTime: 300,
    });
    return Response.json(await getWidget(2));
  },
};
