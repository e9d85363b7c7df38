/** The Worker whose cached queries are tested in workerd: D1, KV and a Durable Object. */
import { d1, type D1Like } from "../../backends/d1.ts";
import {
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "../../backends/durable_object.ts";
import { kv, type KvNamespaceLike } from "../../backends/kv.ts";
import {
  countEvents,
  createRegion,
  sharedInvalidation,
} from "../../cache/mod.ts";
import { followCommits, fromCache } from "../../orm/caching/mod.ts";
import { selectinload, Session } from "../../orm/mod.ts";
import { createEngine, select, update } from "../../sql/mod.ts";
import { Address, metadata, User } from "./caching_models.ts";

export { CacheCoordinator } from "../../backends/durable_object.ts";

interface Env {
  readonly DB: D1Like;
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const counter = countEvents();
const region = followCommits(createRegion({
  name: "queries",
  invalidation: sharedInvalidation({ name: "queries" }),
  trace: counter.trace,
}));
const users = select(User).orderBy(User.c.id).options(
  selectinload(User.r.addresses),
  fromCache(region),
);

const routes: Record<string, (session: Session) => Promise<unknown>> = {
  async setup(session) {
    await metadata.createAll(session.getBind({ flushing: true }));
  },
  async add(session) {
    session.add(
      new User({ name: "ed", addresses: [new Address({ email: "a" })] }),
    );
    await session.commit();
    return await found(session);
  },
  async rename(session) {
    await session.execute(update(User).set({ name: "edward" }));
  },
  find: found,
};

async function found(session: Session): Promise<unknown> {
  return (await session.scalars(users)).map((user) => ({
    name: user.name,
    emails: user.addresses.toArray().map(({ email }) => email),
  }));
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    region.configure({
      backend: kv(env.CACHE),
      lock: durableObjectLock(env.LOCKS),
    });
    counter.reset();
    let trips = 0;
    const engine = createEngine(d1(env.DB), { trace: () => void trips++ });
    const route = new URL(request.url).pathname.slice(1);
    // Several requests of one isolate at once, each with a session of its own.
    const times = Number(new URL(request.url).searchParams.get("times") ?? 1);
    const answers = await Promise.all(
      Array.from({ length: times }, async () => {
        await using session = new Session({ bind: engine });
        return await routes[route]!(session);
      }),
    );
    const { read, create, write } = counter.counts;
    return Response.json({ answer: answers[0], trips, read, create, write });
  },
};
