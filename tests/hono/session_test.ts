import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Hono } from "hono";
import { stream, streamSSE, streamText } from "hono/streaming";
import { memory } from "../../backends/memory.ts";
import { sqlite } from "../../backends/sqlite.ts";
import { createRegion } from "../../cache/mod.ts";
import {
  type AludelEnv,
  cacheMiddleware,
  holdSession,
  sessionMiddleware,
  type SessionMiddlewareOptions,
} from "../../hono/mod.ts";
import { Entity, integer, Session, text } from "../../orm/mod.ts";
import {
  createEngine,
  type Driver,
  type Engine,
  MetaData,
  select,
} from "../../sql/mod.ts";

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
class User extends Base.table("users", { name: text() }) {}

/** An application on a database of its own, and what its sessions went through. */
async function application(options?: SessionMiddlewareOptions) {
  const engine = createEngine(sqlite(":memory:"));
  await Base.metadata.createAll(engine);
  const log: string[] = [];
  class Noted extends Session {
    override async close(): Promise<void> {
      log.push("close");
      await super.close();
    }
  }
  const app = new Hono<AludelEnv<{ engine: Engine }, Noted>>();
  app.use(sessionMiddleware((c) => {
    log.push("open");
    return new Noted({
      bind: c.env.engine,
      warn: (message) => void log.push(message),
    });
  }, options));
  return {
    app,
    engine,
    log,
    ask: async (path: string, init?: RequestInit) =>
      await app.request(path, init, { engine }),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

Deno.test("the program of the design runs as it is written", async () => {
  await using engine = createEngine(sqlite(":memory:"));
  await Base.metadata.createAll(engine);
  const engineFor = (env: { readonly DB: Engine }): Engine => env.DB;
  const region = createRegion({ name: "app" }).configure({ backend: memory() });

  const app = new Hono<AludelEnv>();
  app.use(sessionMiddleware((c) => new Session({ bind: engineFor(c.env) }))); // c.var.session, closed after the response
  app.use("/public/*", cacheMiddleware(region));

  app.get("/public/users", async (c) => {
    const users: User[] = await c.var.session.scalars(select(User));
    return c.json(users.map(({ name }) => name));
  });
  app.post("/users/:name", async (c) => {
    c.var.session.add(new User({ name: c.req.param("name") }));
    await c.var.session.commit();
    return c.body(null, 201);
  });
  const env = { DB: engine };
  const ask = async () => {
    const response = await app.request("/public/users", {}, env);
    return [response.headers.get("X-Cache"), await response.json()];
  };
  strictEqual(
    (await app.request("/users/ed", { method: "POST" }, env)).status,
    201,
  );
  deepStrictEqual(await ask(), ["MISS", ["ed"]]);
  deepStrictEqual(await ask(), ["HIT", ["ed"]]);
});

Deno.test("sessionMiddleware() closes the session after the response, and after an error", async () => {
  await using one = await application();
  const { app, log, ask } = one;
  let seen: Session | undefined;
  app.get("/good", (c) => {
    seen = c.var.session;
    log.push("answer");
    return c.text("good");
  });
  app.get("/bad", () => {
    log.push("answer");
    throw new Error("bad");
  });
  // Hono lets what is no error through.
  app.get("/worse", () => {
    log.push("answer");
    throw "worse";
  });
  app.onError((error, c) => c.text(error.message, 500));

  strictEqual(await (await ask("/good")).text(), "good");
  strictEqual(seen instanceof Session, true);
  strictEqual((await ask("/bad")).status, 500);
  await ask("/worse").then(() => log.push("resolved"), () => log.push("threw"));
  strictEqual((await ask("/nowhere")).status, 404);
  const whole = ["open", "answer", "close"];
  deepStrictEqual(log, [
    ...whole,
    ...whole,
    ...whole,
    "threw",
    "open",
    "close",
  ]);
});

Deno.test("what is not committed is rolled back, and told where the response is good", async () => {
  await using one = await application();
  const { app, log, ask, engine } = one;
  app.get("/flush", async (c) => {
    c.var.session.add(new User({ name: "ed" }));
    await c.var.session.flush();
    return c.text("flushed");
  });
  app.get("/add", (c) => {
    c.var.session.add(new User({ name: "ed" }));
    return c.text("added");
  });
  app.get("/refuse", (c) => {
    c.var.session.add(new User({ name: "ed" }));
    return c.text("refused", 400);
  });
  await ask("/flush");
  await ask("/add");
  await ask("/refuse");
  strictEqual((await engine.execute(select(User.table))).length, 0);
  deepStrictEqual(log, [
    "open",
    "close",
    "open",
    "Cannot keep what was changed: the response is made, and 1 object is not committed; commit() before you return it",
    "close",
    "open",
    "close",
  ]);
});

Deno.test("a session stays open while a response is made as it is sent", async () => {
  await using one = await application();
  const { app, log, ask, engine } = one;
  const write = (session: Session) =>
  async (
    s: { write(text: string): Promise<unknown> },
  ) => {
    session.add(new User({ name: "ed" }));
    await session.flush();
    await s.write("one ");
    await new Promise((done) => setTimeout(done, 5));
    log.push(`${session.has([...session.identityMap.values()].at(-1)!)}`);
    await session.commit();
    await s.write("two");
  };
  app.get("/text", (c) => streamText(c, write(c.var.session)));
  app.get("/events", (c) =>
    streamSSE(c, async (s) => {
      await write(c.var.session)(s);
    }));
  app.get("/stream", (c) => {
    const { session } = c.var;
    const done = Promise.withResolvers<void>();
    holdSession(session, done.promise);
    return stream(c, async (s) => {
      await write(session)(s);
      done.resolve();
    });
  });
  app.get("/plain-events", (c) => {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    void write(c.var.session)({
      write: (text) => writer.write(encoder.encode(text)),
    }).then(() => writer.close());
    return c.body(readable, 200, { "Content-Type": "text/event-stream" });
  });
  for (const path of ["/text", "/events", "/plain-events", "/stream"]) {
    log.length = 0;
    const response = await ask(path);
    deepStrictEqual(log, ["open"]);
    strictEqual(await response.text(), "one two");
    await new Promise((done) => setTimeout(done, 5));
    deepStrictEqual(log, ["open", "true", "close"]);
  }
  strictEqual((await engine.execute(select(User.table))).length, 4);
});

Deno.test("a session is closed when a client stops reading, and after work that it is held for", async () => {
  await using one = await application();
  const { app, log, ask } = one;
  app.get("/text", (c) =>
    streamText(c, async (s) => {
      while (!s.aborted) {
        await s.write("more ");
        await new Promise((done) => setTimeout(done, 1));
      }
    }));
  app.get("/work", (c) => {
    const work = async () => {
      await new Promise((done) => setTimeout(done, 5));
      log.push("worked");
      throw new Error("in vain");
    };
    void holdSession(c.var.session, work()).catch(() => {});
    return c.text("done");
  });
  const reader = (await ask("/text")).body!.getReader();
  await reader.read();
  deepStrictEqual(log, ["open"]);
  await reader.cancel();
  await new Promise((done) => setTimeout(done, 20));
  deepStrictEqual(log, ["open", "close"]);
  log.length = 0;
  strictEqual(await (await ask("/work")).text(), "done");
  deepStrictEqual(log, ["open"]);
  await new Promise((done) => setTimeout(done, 20));
  deepStrictEqual(log, ["open", "worked", "close"]);
});

Deno.test("a bookmark comes with a header or a cookie, and goes on with the response", async () => {
  const given: (string | undefined)[] = [];
  const app = new Hono<AludelEnv>();
  const place = { cookie: "bookmark", header: "x-bookmark" };
  let next: string | undefined = "00-01";
  app.use(sessionMiddleware((_c, { bookmark }) => {
    given.push(bookmark);
    const driver: Driver = {
      ...sqlite(":memory:"),
      get bookmark() {
        return next;
      },
    };
    return new Session({ bind: createEngine(driver) });
  }, { bookmark: place }));
  app.get("/", (c) => {
    c.header("Set-Cookie", "other=1");
    return c.text("");
  });
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await app.request("/", { headers });
    return [
      response.headers.get("x-bookmark"),
      response.headers.getSetCookie(),
    ];
  };
  const cookie = "bookmark=00-01; Path=/; HttpOnly; Secure; SameSite=Lax";
  deepStrictEqual(await ask(), ["00-01", ["other=1", cookie]]);
  deepStrictEqual(await ask({ "x-bookmark": "00-00" }), [
    "00-01",
    ["other=1", cookie],
  ]);
  // Nothing new was seen.
  deepStrictEqual(await ask({ "Cookie": "a=b; bookmark=00-01" }), [
    null,
    ["other=1"],
  ]);
  for (const bad of ["first-primary", "a b", "<>", ""]) {
    await ask({ "x-bookmark": bad });
  }
  next = undefined;
  deepStrictEqual(await ask(), [null, ["other=1"]]);
  deepStrictEqual(given, [
    undefined,
    "00-00",
    "00-01",
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
