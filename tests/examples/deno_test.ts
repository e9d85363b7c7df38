import { deepStrictEqual, strictEqual } from "node:assert/strict";

Deno.test("the example for Deno keeps a guest book in a SQLite file", async () => {
  const directory = await Deno.makeTempDir();
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "examples/deno/main.ts",
      `${directory}/book.db`,
    ],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const url = await addressIn(server.stderr);
    const post = (text: string) =>
      fetch(new URL("/ed", url), { method: "POST", body: text });

    const first = await post("hello");
    const second = await post("again");
    const page = await (await fetch(url)).json();

    strictEqual(first.status, 201);
    deepStrictEqual(await first.json(), await second.json());
    deepStrictEqual(page, [{ name: "ed", entries: ["hello", "again"] }]);
  } finally {
    server.kill();
    await server.status;
    await Deno.remove(directory, { recursive: true });
  }
});

/** Deno prints the address when it listens. */
async function addressIn(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const address = /http:\/\/[\d.]+:\d+\//.exec(text)?.[0];
    if (address) return address;
  }
  throw new Error(`The server ended before it listened: ${text}`);
}
