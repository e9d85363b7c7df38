import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Context, Hono } from "hono";
import { memory } from "../../backends/memory.ts";
import {
  countEvents,
  createRegion,
  jsonCodec,
  platformRuntime,
} from "../../cache/mod.ts";
import {
  cacheMiddleware,
  type CacheMiddlewareOptions,
} from "../../hono/mod.ts";

/** An application that answers as a test says, behind a cache with a clock of its own. */
function application(
  options: Partial<CacheMiddlewareOptions<unknown>> = {},
  expirationTime?: number,
) {
  let time = 1_800_000_000_000;
  const now = () => time;
  const counter = countEvents();
  const region = createRegion({
    name: "pages",
    codec: jsonCodec,
    trace: counter.trace,
    runtime: { ...platformRuntime(), now },
  }).configure({
    backend: memory({ now }),
    ...expirationTime !== undefined && { expirationTime },
  });
  let made = 0;
  let answer: (c: Context) => Response | Promise<Response> = (c) =>
    c.text(`page ${made}`);
  const app = new Hono();
  app.use(cacheMiddleware(region, { now, ...options }));
  app.all("*", (c) => {
    made++;
    return answer(c);
  });
  return {
    app,
    region,
    counter,
    get made() {
      return made;
    },
    answer(how: typeof answer) {
      answer = how;
    },
    later(seconds: number) {
      time += 1000 * seconds;
    },
    async ask(path = "/", init?: RequestInit) {
      const response = await app.request(path, init);
      return {
        text: await response.text(),
        cache: response.headers.get("X-Cache"),
        age: response.headers.get("Age"),
        status: response.status,
        headers: response.headers,
      };
    },
  };
}

const brief = async (
  asked: Promise<{ readonly cache: string | null; readonly text: string }>,
) => {
  const { cache, text } = await asked;
  return [cache, text];
};

Deno.test("cacheMiddleware() answers from the region: status, headers and body as they were, with an age", async () => {
  const one = application();
  one.answer((c) => {
    c.header("X-Custom", "a, b");
    c.header("Cache-Control", "public");
    c.header("Age", "100");
    c.header("Keep-Alive", "timeout=5");
    return c.json({ text: "héllo \ud83d\ude00" }, 203);
  });
  const first = await one.ask("/x");
  one.later(7.9);
  one.counter.reset();
  const second = await one.ask("/x");
  strictEqual(one.made, 1);
  deepStrictEqual(
    [first.cache, first.age, second.cache, second.age],
    ["MISS", "100", "HIT", "107"],
  );
  strictEqual(second.text, first.text);
  strictEqual(second.status, 203);
  for (const name of ["content-type", "x-custom", "cache-control"]) {
    strictEqual(second.headers.get(name), first.headers.get(name));
  }
  strictEqual(second.headers.get("keep-alive"), null);
  const { read, hit } = one.counter.counts;
  deepStrictEqual([read, hit], [1, 1]);
});

Deno.test("cacheMiddleware() gives bodies of bytes, of nothing and of a stream as they were", async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256);
  const text = new TextEncoder().encode("\ufeffmark \ud83d\ude00 \0|");
  const bodies: [BodyInit | null, number, Uint8Array][] = [
    [bytes, 200, bytes],
    [text, 200, text],
    [null, 204, new Uint8Array()],
    ["", 200, new Uint8Array()],
    [
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.slice(0, 10));
          controller.enqueue(bytes.slice(10));
          controller.close();
        },
      }),
      200,
      bytes,
    ],
  ];
  for (const [body, status, expected] of bodies) {
    const one = application();
    one.answer(() => new Response(body, { status }));
    for (const cache of ["MISS", "HIT"]) {
      const response = await one.app.request("/");
      strictEqual(response.headers.get("X-Cache"), cache);
      strictEqual(response.status, status);
      deepStrictEqual(new Uint8Array(await response.arrayBuffer()), expected);
    }
    strictEqual(one.made, 1);
  }
});

Deno.test("cacheMiddleware() knows a page by its address, whatever the order of its parameters", async () => {
  const one = application();
  const same = ["/a?b=2&a=1&a=0", "/a?a=1&b=2&a=0#x", "/a?a=1&a=0&b=2"];
  for (const path of same) await one.ask(path);
  strictEqual(one.made, 1);
  const others = [
    "/a?a=0&a=1&b=2",
    "/a",
    "/b",
    "/a?a=1",
    "http://other.test/a",
  ];
  for (const path of others) await one.ask(path);
  strictEqual(one.made, 1 + others.length);
  await one.ask("/a?");
  strictEqual(one.made, 1 + others.length);
});

Deno.test("cacheMiddleware() keeps nothing that is for one client, or no success", async () => {
  const responses: [status: number, headers: Record<string, string>][] = [
    [200, { "Cache-Control": "no-store" }],
    [200, { "Cache-Control": "max-age=60, Private" }],
    [200, { "Cache-Control": 'private="x-name"' }],
    [200, { "Cache-Control": "no-cache" }],
    [200, { "Cache-Control": "max-age=0" }],
    [200, { "Cache-Control": "max-age=soon" }],
    [200, { "Cache-Control": "max-age=10", "Age": "10" }],
    [200, { "Expires": "0" }],
    [200, { "Set-Cookie": "a=b" }],
    [200, { "Vary": "Accept, *" }],
    [200, { "Content-Type": "text/event-stream" }],
    [200, { "Content-Encoding": "identity" }],
    [206, { "Content-Range": "bytes 0-0/1" }],
    [301, { "Location": "/x" }],
    [404, {}],
    [500, {}],
  ];
  for (const [status, headers] of responses) {
    const one = application();
    one.answer(() => new Response("mine", { status, headers }));
    for (const times of [1, 2]) {
      const { cache, status: given } = await one.ask();
      deepStrictEqual([cache, given, one.made], ["MISS", status, times]);
    }
    strictEqual(one.counter.counts.write, 0);
  }
});

Deno.test("cacheMiddleware() stays out of requests that are not for a whole page", async () => {
  const one = application();
  await one.ask();
  for (
    const init of [
      { headers: { "Range": "bytes=0-1" } },
      { headers: { "Cache-Control": "no-store" } },
      { method: "OPTIONS" },
    ]
  ) {
    one.counter.reset();
    strictEqual((await one.ask("/", init)).cache, null);
    strictEqual(Object.values(one.counter.counts).every((n) => n === 0), true);
  }
  strictEqual(one.made, 4);
});

Deno.test("cacheMiddleware() answers HEAD from what GET has made, and keeps nothing of its own", async () => {
  const one = application();
  const head = () => one.ask("/", { method: "HEAD" });
  deepStrictEqual(await brief(head()), ["MISS", ""]);
  deepStrictEqual(await brief(one.ask()), ["MISS", "page 2"]);
  deepStrictEqual(await brief(head()), ["HIT", ""]);
  strictEqual(one.made, 2);

  one.answer((c) => c.text("short", 200, { "Cache-Control": "max-age=5" }));
  await one.ask("/short");
  one.later(6);
  one.counter.reset();
  strictEqual((await one.ask("/short", { method: "HEAD" })).cache, "MISS");
  strictEqual(one.counter.counts.write, 0);
});

Deno.test("cacheMiddleware() keeps a response for each value of what Vary names", async () => {
  const one = application();
  one.answer((c) => {
    c.header("Vary", "Accept-Language, Accept");
    return c.text(c.req.header("Accept-Language") ?? "none");
  });
  const in_ = (language?: string) =>
    brief(one.ask("/", {
      headers: language === undefined ? {} : { "Accept-Language": language },
    }));
  for (const cache of ["MISS", "HIT"]) {
    for (const language of ["en", "de", undefined, "fr"]) {
      deepStrictEqual(await in_(language), [cache, language ?? "none"]);
    }
  }
  strictEqual(one.made, 4);
  one.counter.reset();
  await in_("en");
  strictEqual(one.counter.counts.read, 1);
  await in_("de");
  strictEqual(one.counter.counts.read, 3);
});

Deno.test("cacheMiddleware() gives no response to a request that differs in what another one's Vary names", async () => {
  const one = application();
  one.answer((c) => {
    const language = c.req.header("Accept-Language") ?? "none";
    const isDe = language === "de";
    c.header("Vary", isDe ? "Accept-Language, Accept" : "Accept-Language");
    return c.text(`${language} ${isDe ? c.req.header("Accept") : ""}`);
  });
  const ask = (language: string, accept: string) =>
    one.ask("/", {
      headers: { "Accept-Language": language, "Accept": accept },
    });
  await ask("en", "a");
  await ask("de", "a");
  strictEqual((await ask("de", "b")).text, "de b");
  strictEqual((await ask("de", "a")).cache, "HIT");
  strictEqual((await ask("en", "b")).cache, "HIT");
});

Deno.test("cacheMiddleware() has a request make its own response, whatever the region would do behind it", async () => {
  let runs = 0;
  let time = 1000;
  const runtime = { ...platformRuntime(), now: () => time };
  const later = () => new Promise((done) => setTimeout(done, 5));
  for (
    const region of [
      createRegion({ runtime, staleWhileRevalidate: true }),
      createRegion({
        runtime,
        creationRunner: ({ create }) => {
          runs++;
          void later().then(create);
        },
      }),
    ]
  ) {
    region.configure({ backend: memory() });
    const app = new Hono();
    app.use(cacheMiddleware(region, { now: runtime.now }));
    let made = 0;
    app.get("/", async (c) => {
      await later();
      return c.text(`page ${++made}`, 200, { "Cache-Control": "max-age=1" });
    });
    await app.request("/");
    time += 1500;
    const response = await app.request("/");
    deepStrictEqual(
      [response.headers.get("X-Cache"), await response.text()],
      ["MISS", "page 2"],
    );
  }
  strictEqual(runs, 0);
});

Deno.test("cacheMiddleware() gives answers to Authorization only to such requests, and only where the response says so", async () => {
  const one = application();
  const as = (name?: string) =>
    one.ask("/", name ? { headers: { "Authorization": name } } : {});
  one.answer((c) => c.text(c.req.header("Authorization") ?? "nobody"));
  await as();
  strictEqual((await as("ed")).text, "ed");
  strictEqual((await as("wendy")).text, "wendy");
  strictEqual((await as()).text, "nobody");
  strictEqual(one.made, 3);
  for (const said of ["public", "must-revalidate", "s-maxage=9"]) {
    const other = application();
    other.answer((c) => c.text("all", 200, { "Cache-Control": said }));
    for (const name of ["ed", "wendy", undefined, undefined]) {
      await other.ask(
        "/",
        name === undefined ? {} : { headers: { "Authorization": name } },
      );
    }
    strictEqual(other.made, 2);
  }
});

Deno.test("cacheMiddleware() has one request make what many ask for", async () => {
  const one = application();
  one.answer(async (c) => {
    const { made } = one;
    await new Promise((done) => setTimeout(done, 10));
    return c.text(`page ${made}`);
  });
  const all = await Promise.all(Array.from({ length: 10 }, () => one.ask()));
  strictEqual(one.made, 1);
  deepStrictEqual(new Set(all.map(({ text }) => text)), new Set(["page 1"]));
  deepStrictEqual(
    all.map(({ cache }) => cache).sort(),
    [...Array(9).fill("HIT"), "MISS"],
  );
});

Deno.test("cacheMiddleware() hands nobody what was made for another: they make their own", async () => {
  const one = application();
  one.answer(async (c) => {
    const { made } = one;
    await new Promise((done) => setTimeout(done, 5));
    c.header("Set-Cookie", `id=${made}`);
    return c.text(`${made}`);
  });
  const all = await Promise.all(Array.from({ length: 5 }, () => one.ask()));
  strictEqual(one.made, 5);
  strictEqual(new Set(all.map(({ text }) => text)).size, 5);
  for (const { text, headers } of all) {
    deepStrictEqual(headers.getSetCookie(), [`id=${text}`]);
  }
});

Deno.test("cacheMiddleware() lets each request have its own error", async () => {
  const one = application();
  one.app.onError((error, c) => c.text(error.message, 500));
  one.answer(async () => {
    const { made } = one;
    await new Promise((done) => setTimeout(done, 5));
    throw new Error(`no ${made}`);
  });
  const all = await Promise.all(Array.from({ length: 3 }, () => one.ask()));
  deepStrictEqual(
    all.map(({ text, status }) => [status, text]).sort(),
    [[500, "no 1"], [500, "no 2"], [500, "no 3"]],
  );
  // Hono lets what is no error through, to whoever caused it.
  one.answer(() => {
    throw "thrown";
  });
  deepStrictEqual(
    (await Promise.allSettled([one.ask(), one.ask()])).map((one) =>
      one.status === "rejected" && one.reason
    ),
    ["thrown", "thrown"],
  );
});

Deno.test("cacheMiddleware() makes a page anew when the region, the option or the page itself says so", async () => {
  const cases: [
    options: Partial<CacheMiddlewareOptions<unknown>>,
    region: number | undefined,
    headers: Record<string, string>,
    seconds: number,
  ][] = [
    [{}, 30, {}, 30],
    [{ expirationTime: 20 }, 30, {}, 20],
    [{}, 30, { "Cache-Control": "max-age=10" }, 10],
    [{}, 30, { "Cache-Control": "max-age=10, s-maxage=5" }, 5],
    [{}, 30, { "Cache-Control": "max-age=10", "Age": "4" }, 6],
    [{}, 30, { "Expires": "Fri, 15 Jan 2027 08:00:12 GMT" }, 12],
    [{ expirationTime: 20 }, 30, { "Cache-Control": "max-age=60" }, 20],
    [{}, undefined, { "Cache-Control": "max-age=10" }, 10],
  ];
  for (const [options, expirationTime, headers, seconds] of cases) {
    const one = application(options, expirationTime);
    one.answer((c) =>
      c.text(`page ${one.made}`, 200, one.made === 1 ? headers : {})
    );
    await one.ask();
    one.later(seconds - 1);
    deepStrictEqual(await brief(one.ask()), ["HIT", "page 1"]);
    one.later(2);
    deepStrictEqual(await brief(one.ask()), ["MISS", "page 2"], `${seconds}`);
    deepStrictEqual(await brief(one.ask()), ["HIT", "page 2"]);
    strictEqual(
      (await one.ask("/", { method: "HEAD" })).cache,
      "HIT",
    );
  }
});

Deno.test("cacheMiddleware() gives the stale page while one request makes it anew, unless that says not to", async () => {
  const cases = [
    ["max-age=10", ["MISS page 2", "STALE page 1"]],
    ["max-age=10, must-revalidate", ["HIT page 2", "MISS page 2"]],
    ["s-maxage=10", ["HIT page 2", "MISS page 2"]],
  ] as const;
  for (const [said, expected] of cases) {
    const one = application();
    one.answer(async (c) => {
      const { made } = one;
      await new Promise((done) => setTimeout(done, 5));
      return c.text(`page ${made}`, 200, { "Cache-Control": said });
    });
    await one.ask();
    one.later(11);
    const both = await Promise.all([one.ask(), one.ask()]);
    deepStrictEqual(
      both.map(({ cache, text }) => `${cache} ${text}`).sort(),
      expected,
    );
    strictEqual(one.made, 2);
    // And none that is much too old.
    one.later(100);
    const later = await Promise.all([one.ask(), one.ask()]);
    deepStrictEqual(later.map(({ text }) => text), ["page 3", "page 3"]);
  }
});

Deno.test("cacheMiddleware() passes a large body on as it comes, and keeps nothing of it", async () => {
  const one = application({ maxBytes: 100 });
  let pulled = 0;
  let cancelled = false;
  one.answer(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(40).fill(++pulled));
          if (pulled === 100) controller.close();
        },
        cancel() {
          cancelled = true;
        },
      }),
    )
  );
  const response = await one.app.request("/");
  strictEqual(response.headers.get("X-Cache"), "MISS");
  ok(pulled < 10);
  const bytes = new Uint8Array(await response.arrayBuffer());
  strictEqual(bytes.length, 4000);
  deepStrictEqual([bytes[0], bytes[40], bytes[3999]], [1, 2, 100]);
  strictEqual(one.counter.counts.write, 0);

  pulled = 0;
  await (await one.app.request("/")).body!.cancel();
  strictEqual(cancelled, true);
  const exact = application({ maxBytes: 6 });
  await exact.ask();
  strictEqual((await exact.ask()).cache, "HIT");
});

Deno.test("cacheMiddleware() forgets a page, in all its forms, when its address is written to", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    const one = application();
    let status = 200 as 200 | 400;
    one.answer((c) =>
      c.text(`page ${one.made}`, status, {
        "Vary": "Accept",
        "Cache-Control": "public",
      })
    );
    const requests = [{}, { "Accept": "a" }, { "Authorization": "ed" }];
    const look = async () => {
      const found = [];
      for (const headers of requests) {
        found.push((await one.ask("/p?a=1&b=2", { headers })).cache);
      }
      return found;
    };
    deepStrictEqual(await look(), ["MISS", "MISS", "MISS"]);
    deepStrictEqual(await look(), ["HIT", "HIT", "HIT"]);
    status = 400;
    await one.ask("/p?b=2&a=1", { method });
    deepStrictEqual(await look(), ["HIT", "HIT", "HIT"]);
    status = 200;
    one.later(1);
    await one.ask("/p?b=2&a=1", { method });
    deepStrictEqual(await look(), ["MISS", "MISS", "MISS"]);
  }
});

Deno.test("cacheMiddleware() takes keys, tags, and a header of another name or none", async () => {
  const one = application({
    key: ({ req }) => new URL(req.url).pathname,
    tags: ({ req }) => [new URL(req.url).pathname.slice(1), "pages"],
    header: "CDN-Status",
  });
  await one.ask("/users?x=1");
  const second = await one.ask("/users?x=2");
  strictEqual(second.headers.get("CDN-Status"), "HIT");
  strictEqual(second.cache, null);
  await one.region.invalidateTags(["others"]);
  await one.ask("/users");
  strictEqual(one.made, 1);
  await one.region.invalidateTags(["users"]);
  await one.ask("/users");
  strictEqual(one.made, 2);

  const plain = application({ header: false, tags: ["pages"] });
  await plain.ask();
  strictEqual((await plain.ask()).cache, null);
  await plain.region.invalidateTags(["pages"]);
  await plain.ask();
  strictEqual(plain.made, 2);
});

Deno.test("cacheMiddleware() leaves headers that stand around it to each request", async () => {
  const inner = application();
  const app = new Hono();
  let id = 0;
  app.use(async (c, next) => {
    c.header("X-Before", "before");
    await next();
    c.header("X-Request", `${++id}`);
  });
  app.use(cacheMiddleware(inner.region));
  app.get("/", (c) => c.text("page"));
  for (const cache of ["MISS", "HIT"]) {
    const { headers } = await app.request("/");
    strictEqual(headers.get("X-Cache"), cache);
    strictEqual(headers.get("X-Before"), "before");
    strictEqual(headers.get("X-Request"), `${id}`);
  }
  strictEqual(id, 2);
});
