/**
 * A guest book: Hono for the routes, D1 for the rows, KV for the cached page,
 * a Durable Object so that one request renders it and the others wait.
 */
import { d1, type D1Like } from "@aludel/aludel/backends/d1";
import {
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "@aludel/aludel/backends/durable-object";
import { kv, type KvNamespaceLike } from "@aludel/aludel/backends/kv";
import { createRegion } from "@aludel/aludel/cache";
import { selectinload, Session } from "@aludel/aludel/orm";
import { createEngine, select } from "@aludel/aludel/sql";
import { Hono } from "hono";
import { Entry, Guest, metadata } from "./models.ts";

export { CacheCoordinator } from "@aludel/aludel/backends/durable-object";

/** What the Worker is bound to, and what each request carries. */
interface Env {
  Bindings: {
    readonly DB: D1Like;
    readonly CACHE: KvNamespaceLike;
    readonly LOCKS: DurableObjectNamespaceLike;
  };
  Variables: { session: Session };
}

const region = createRegion({ name: "guest-book" });
const app = new Hono<Env>();

app.use(async (c, next) => {
  region.configure({
    backend: kv(c.env.CACHE),
    lock: durableObjectLock(c.env.LOCKS),
    expirationTime: 60,
  });
  await using session = new Session({ bind: createEngine(d1(c.env.DB)) });
  c.set("session", session);
  await next();
});

// One trip: an application would rather run its migrations when it is deployed.
app.post("/setup", async (c) => {
  await metadata.createAll(createEngine(d1(c.env.DB)));
  return c.text("ready\n");
});

app.get("/", async (c) => {
  const page = await region.getOrCreate("page", async () => {
    const guests = await c.var.session.scalars(
      select(Guest).orderBy(Guest.c.name).options(
        selectinload(Guest.r.entries),
      ),
    );
    return guests.map((guest) => ({
      name: guest.name,
      entries: guest.entries.toArray().map((entry) => entry.text),
    }));
  });
  return c.json(page);
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
  await region.delete("page");
  return c.json({ id: guest.id }, 201);
});

export default app;
