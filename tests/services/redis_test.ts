import { Redis } from "@upstash/redis";
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { redisAvailable, startRedis } from "./redis.ts";
import { startUpstashServer } from "./upstash_server.ts";

const available = await redisAvailable();
const redis = available.ok ? await startRedis() : undefined;
const server = redis ? await startUpstashServer(redis) : undefined;
Deno.test.afterAll(async () => {
  await server?.dispose();
  await redis?.dispose();
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: available.ok ? name : `${name} (skipped: ${available.reason})`,
    ignore: !available.ok,
    async fn() {
      await client().flushall();
      server!.reset();
      await fn();
    },
  });
}

function client(options: { automaticDeserialization?: boolean } = {}): Redis {
  const { url, token } = server!;
  return new Redis({ url, token, enableTelemetry: false, ...options });
}

/** A request of our own, for what the client never sends. */
async function send(path: string, init: RequestInit = {}) {
  const response = await fetch(server!.url + path, {
    ...init,
    headers: { authorization: "Bearer token", ...init.headers },
  });
  return { status: response.status, body: await response.json() };
}

test("the Upstash client sets and gets text, numbers, objects and null", async () => {
  const db = client();
  equal(await db.set("text", "zażółć 🜁 \0 \r\n"), "OK");
  equal(await db.get("text"), "zażółć 🜁 \0 \r\n");
  await db.set("object", { a: [1, null] });
  deepEqual(await db.get("object"), { a: [1, null] });
  equal(await db.get("none"), null);
  equal(await db.incrby("n", 41), 41);
  deepEqual(await db.mget("n", "none", "object"), [41, null, { a: [1, null] }]);
  equal(await db.ping(), "PONG");
  equal(server!.requests, 8);
  equal(server!.commands, 8);
});

test("the Upstash client reads what looks like a status or like base64", async () => {
  const db = client({ automaticDeserialization: false });
  for (const value of ["OK", "T0s=", "PONG", "123", "", "x".repeat(200_000)]) {
    await db.set("k", value);
    equal(await db.get("k"), value);
  }
});

test("SET NX PX takes a lock once, and the lock ends", async () => {
  const db = client();
  equal(await db.set("lock", "a", { nx: true, px: 60_000 }), "OK");
  equal(await db.set("lock", "b", { nx: true, px: 60_000 }), null);
  const left = await db.pttl("lock");
  equal(left > 59_000 && left <= 60_000, true);
  await db.pexpire("lock", 0);
  equal(await db.set("lock", "b", { nx: true, px: 60_000 }), "OK");
});

test("EVAL runs a script, its error is an error", async () => {
  const db = client();
  await db.set("lock", "mine");
  const release =
    'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) else return 0 end';
  equal(await db.eval(release, ["lock"], ["other"]), 0);
  equal(await db.eval(release, ["lock"], ["mine"]), 1);
  deepEqual(await db.eval("return {1, 'two', {3}}", [], []), [1, "two", [3]]);
  await rejects(db.eval("nonsense", [], []), /ERR Error compiling script/);
});

test("a pipeline is one request; an error in it stands at its place", async () => {
  const db = client();
  await db.set("text", "a");
  server!.reset();
  const answers = await db.pipeline().set("k", 1).incr("text").get("k")
    .exec({ keepErrors: true });
  equal(server!.requests, 1);
  equal(server!.commands, 3);
  equal(answers[0]!.result, "OK");
  match(answers[1]!.error ?? "", /^ERR value is not an integer/);
  equal(answers[2]!.result, 1);
});

test("multi-exec is atomic; a command that does not parse discards it", async () => {
  const db = client();
  deepEqual(await db.multi().set("k", 1).incr("k").exec(), ["OK", 2]);
  const answer = await send("/multi-exec", {
    method: "POST",
    body: JSON.stringify([["SET", "k", "9"], ["NOSUCH"]]),
  });
  equal(answer.status, 400);
  match(answer.body.error, /^EXECABORT /);
  equal(await db.get("k"), 2);
  const partly = await send("/multi-exec", {
    method: "POST",
    body: JSON.stringify([["SET", "k", "x"], ["INCR", "k"], ["GET", "k"]]),
  });
  equal(partly.status, 200);
  deepEqual(partly.body[0], { result: "OK" });
  match(partly.body[1].error, /^ERR value is not an integer/);
  deepEqual(partly.body[2], { result: "x" });
});

test("many requests at once do not mix with a transaction", async () => {
  const db = client();
  const transactions = Array.from(
    { length: 20 },
    () => db.multi().incr("n").incr("n").exec<[number, number]>(),
  );
  const others = Array.from({ length: 20 }, () => db.incr("n"));
  for (const [first, second] of await Promise.all(transactions)) {
    equal(second, first + 1);
  }
  await Promise.all(others);
  equal(await db.get("n"), 60);
});

test("a wrong token is refused with status 401", async () => {
  const wrong = new Redis({
    url: server!.url,
    token: "wrong",
    retry: false,
    enableTelemetry: false,
  });
  await rejects(wrong.get("k"), /Unauthorized/);
  const response = await fetch(server!.url, { method: "POST" });
  equal(response.status, 401);
  deepEqual(await response.json(), { error: "Unauthorized" });
});

test("a command's error is status 400 with Redis's text", async () => {
  await rejects(client().eval("return redis.call('NOSUCH')", [], []), /ERR/);
  deepEqual(
    await send("/", { method: "POST", body: '["GET"]' }),
    {
      status: 400,
      body: { error: "ERR wrong number of arguments for 'get' command" },
    },
  );
  for (const body of ["", "{}", "[]", "7", "[[]]"]) {
    const answer = await send("/pipeline", { method: "POST", body });
    equal(answer.status, 400, body);
    match(answer.body.error, /^ERR /);
  }
  equal((await send("/", { method: "DELETE" })).status, 405);
});

test("commands that belong to a connection are refused and break nothing", async () => {
  for (const name of ["MULTI", "blpop", "SUBSCRIBE", "SELECT"]) {
    const answer = await send("/", {
      method: "POST",
      body: JSON.stringify([name, "1"]),
    });
    equal(answer.status, 400);
    match(answer.body.error, /^ERR Command is not available/);
  }
  equal(await client().ping(), "PONG");
});

test("a path is a command, a body its last argument, bytes and all", async () => {
  deepEqual((await send("/set/a%2Fb/v?EX=100&NX")).body, { result: "OK" });
  deepEqual((await send("/ttl/a%2Fb?_token=token")).body, { result: 100 });
  const bytes = new Uint8Array([0, 255, 13, 10, 128]);
  await send("/set/bytes?EX=100", { method: "POST", body: bytes });
  const { body } = await send("/get/bytes", {
    headers: { "upstash-encoding": "base64" },
  });
  deepEqual(
    Uint8Array.from(atob(body.result), (c) => c.charCodeAt(0)),
    bytes,
  );
  deepEqual((await send("/get/bytes")).body, { result: "\0\ufffd\r\n\ufffd" });
});

test("every answer carries a sync token", async () => {
  const response = await fetch(`${server!.url}/ping`, {
    headers: { authorization: "Bearer token" },
  });
  await response.body?.cancel();
  match(response.headers.get("upstash-sync-token") ?? "", /./);
});

test("startUpstashServer() says that a port is in use", async () => {
  const port = Number(new URL(server!.url).port);
  await rejects(
    startUpstashServer(redis!, { port }),
    new RegExp(`Cannot listen on 127.0.0.1:${port}: the port is in use`),
  );
});

test("startRedis() leaves nothing behind, nor when it cannot start", async () => {
  const own = await startRedis();
  const directory = own.socket.replace(/\/[^/]*$/, "");
  await own.dispose();
  await own.dispose();
  await rejects(Deno.stat(directory), Deno.errors.NotFound);
  await rejects(own.connect());

  const port = Number(new URL(server!.url).port);
  await rejects(startRedis({ port }), /Cannot start .*redis-server: it ended/);
});
