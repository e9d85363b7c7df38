/**
 * A guest book: Hono for the routes, D1 for the rows, KV for the cached page,
 * a Durable Object so that one request renders it and the others wait. Every
 * commit has it rendered anew.
 */
import { d1, type D1Like } from "@aludel/aludel/backends/d1";
import {
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "@aludel/aludel/backends/durable-object";
import { kv, type KvNamespaceLike } from "@aludel/aludel/backends/kv";
import { createRegion, sharedInvalidation } from "@aludel/aludel/cache";
import {
  type AludelEnv,
  cacheMiddleware,
  sessionMiddleware,
} from "@aludel/aludel/hono";
import { selectinload, Session } from "@aludel/aludel/orm";
import { followCommits } from "@aludel/aludel/orm/caching";
import { createEngine, select } from "@aludel/aludel/sql";
import { Hono } from "hono";
import { Entry, Guest, metadata } from "./models.ts";

export { CacheCoordinator } from "@aludel/aludel/backends/durable-object";

/** What the Worker is bound to. */
interface Env {
  readonly DB: D1Like;
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const region = followCommits(
  createRegion({
    name: "guest-book",
    invalidation: sharedInvalidation({ name: "guest-book" }),
  }),
  { byRow: false },
);
const app = new Hono<AludelEnv<Env>>();

app.use(async (c, next) => {
  region.configure({
    backend: kv(c.env.CACHE),
    lock: durableObjectLock(c.env.LOCKS),
    expirationTime: 60,
  });
  await next();
});
app.use(
  sessionMiddleware((c) => new Session({ bind: createEngine(d1(c.env.DB)) })),
);
app.use("/", cacheMiddleware(region, { tags: ["guests", "entries"] }));

// One trip: an application would rather run its migrations when it is deployed.
app.post("/setup", async (c) => {
  await metadata.createAll(createEngine(d1(c.env.DB)));
  return c.text("ready\n");
});

app.get("/", async (c) => {
  const guests = await c.var.session.scalars(
    select(Guest).orderBy(Guest.c.name).options(
      selectinload(Guest.r.entries),
    ),
  );
  return c.json(guests.map((guest) => ({
    name: guest.name,
    entries: guest.entries.toArray().map((entry) => entry.text),
  })));
});

app.post("/", async (c) => {
  const { name, text } = await c.req.json<{ name?: unknown; text?: unknown }>();
  if (typeof name !== "string" || typeof text !== "string") {
    return c.json({ error: "Give a name and a text" }, 400);
  }
  const { session } = c.var;
  const known = await session.first(select(Guest).where(Guest.c.name.eq(name)));
  const guest = known ?? new Guest({ name });
  guest.entries.add(new Entry({ text }));
  session.add(guest);
  await session.commit();
  return c.json({ id: guest.id }, 201);
});

export default app;
