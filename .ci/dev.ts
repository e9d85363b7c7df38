/**
 * The example Worker on this machine: `deno task dev`.
 *
 * Runs `wrangler dev` on `examples/worker`, after making sure that it can.
 */
import { Command, InvalidArgumentError } from "commander";
import { join } from "node:path";
import { fail, parseArguments } from "./terminal.ts";

const HOST = "127.0.0.1";
const ROOT = join(import.meta.dirname!, "..");
const CONFIG = "examples/worker/wrangler.jsonc";

const { port } = parseArguments<{ port: number }>(
  new Command("deno task dev")
    .description("Serve examples/worker with wrangler dev.")
    .option("--port <n>", "the port to listen on", portNumber, 8787),
);

if (!await Deno.stat(join(ROOT, CONFIG)).then(() => true, () => false)) {
  fail(`Cannot find ${CONFIG}: the example Worker is not there; restore it`);
}
try {
  Deno.listen({ hostname: HOST, port }).close();
} catch (error) {
  if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  fail(
    `Cannot listen on port ${port}: it is in use; choose another with deno task dev --port <n>`,
  );
}

const wrangler = new Deno.Command(Deno.execPath(), {
  args: [
    "run",
    "--allow-all",
    "npm:wrangler",
    "dev",
    `--config=${CONFIG}`,
    `--ip=${HOST}`,
    `--port=${port}`,
  ],
  cwd: ROOT,
  env: { WRANGLER_SEND_METRICS: "false" },
}).spawn();
// Ctrl-C reaches wrangler too, which stops workerd; then this process follows.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    if (signal === "SIGTERM") wrangler.kill(signal);
  });
}
Deno.exit((await wrangler.status).code);

function portNumber(text: string): number {
  const n = Number(text);
  if (Number.isInteger(n) && n > 0 && n < 65_536) return n;
  throw new InvalidArgumentError("Give a number from 1 to 65535");
}
