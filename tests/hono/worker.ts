/** The Worker whose sessions and cached responses are tested in workerd. */
import { Hono } from "hono";
import { streamText } from "hono/streaming";
import { d1, type D1Like } from "../../backends/d1.ts";
import {
  durableObjectLock,
  type DurableObjectNamespaceLike,
} from "../../backends/durable_object.ts";
import { kv, type KvNamespaceLike } from "../../backends/kv.ts";
import { createRegion, sharedInvalidation } from "../../cache/mod.ts";
import {
  type AludelEnv,
  cacheMiddleware,
  sessionMiddleware,
} from "../../hono/mod.ts";
import { followCommits } from "../../orm/caching/mod.ts";
import { Entity, integer, Session, text } from "../../orm/mod.ts";
import { createEngine, MetaData, select } from "../../sql/mod.ts";

export { CacheCoordinator } from "../../backends/durable_object.ts";

interface Env {
  readonly DB: D1Like & { withSession(start: string): D1Like };
  readonly CACHE: KvNamespaceLike;
  readonly LOCKS: DurableObjectNamespaceLike;
}

const metadata = new MetaData();
abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}
class User extends Base.table("users", { name: text() }) {}

const region = followCommits(createRegion({
  name: "pages",
  invalidation: sharedInvalidation({ name: "pages" }),
}));
let made = 0;
let closed = 0;
class Noted extends Session {
  override async close(): Promise<void> {
    await super.close();
    closed++;
  }
}

const app = new Hono<AludelEnv<Env, Noted>>();
app.use(async (c, next) => {
  region.configure({
    backend: kv(c.env.CACHE),
    lock: durableObjectLock(c.env.LOCKS),
  });
  await next();
});
app.use(sessionMiddleware((c, { bookmark }) =>
  new Noted({
    bind: createEngine(
      d1(c.env.DB.withSession(bookmark ?? "first-unconstrained")),
    ),
  }), { bookmark: { cookie: "bookmark", header: "x-bookmark" } }));
app.use("/public/*", cacheMiddleware(region, { tags: ["users"] }));

app.post("/setup", async (c) => {
  await metadata.createAll(c.var.session.getBind({ flushing: true }));
  return c.body(null, 204);
});
app.post("/users/:name", async (c) => {
  c.var.session.add(new User({ name: c.req.param("name") }));
  await c.var.session.commit();
  return c.body(null, 201);
});
app.get("/public/users", async (c) => {
  made++;
  const users = await c.var.session.scalars(select(User).orderBy(User.c.id));
  await new Promise((done) => setTimeout(done, 100));
  return c.json(users.map(({ name }) => name));
});
app.get("/public/bytes", () => {
  made++;
  return new Response(Uint8Array.from({ length: 5000 }, (_, i) => i % 256), {
    headers: { "Content-Type": "image/png" },
  });
});
app.get("/stream", (c) => {
  const { session } = c.var;
  return streamText(c, async (s) => {
    for (const name of ["one", "two", "three"]) {
      session.add(new User({ name }));
      await session.commit();
      await s.write(`${name} ${closed} `);
    }
  });
});
app.get("/counts", (c) => {
  const counts = { made, closed };
  made = 0;
  return c.json(counts);
});

export default app;
