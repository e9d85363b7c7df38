/**
 * A real redis-server of a test's own: nothing on disk, no port by default.
 *
 * @module
 */
import {
  type Availability,
  findProgram,
  startChildServer,
} from "./child_server.ts";
import { connectResp, type RespConnection } from "./resp.ts";

/** How to start it. */
export interface RedisOptions {
  /**
   * A TCP port on 127.0.0.1 besides the socket; for clients other than ours.
   * @default {undefined} no port at all
   */
  readonly port?: number;
}

/** A running redis-server. */
export interface Redis extends AsyncDisposable {
  /** The path of its socket. */
  readonly socket: string;
  /** Opens a connection. */
  connect(): Promise<RespConnection>;
  /** Ends it. Calling it again does nothing. */
  dispose(): Promise<void>;
}

let availability: Promise<Availability> | undefined;

/**
 * Whether there is a redis-server: on the PATH, or else installed now with apt,
 * when we are root on Debian. Asked once; the reason is fit for a skipped test:
 *
 * ```ts ignore
 * const redis = await redisAvailable();
 * Deno.test({ name: "…", ignore: !redis.ok, fn });
 * ```
 */
export function redisAvailable(): Promise<Availability> {
  return availability ??= findOrInstall();
}

/**
 * Starts a redis-server without persistence in a temporary directory.
 *
 * @throws {Error} If there is none, or if the port is in use.
 */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const found = await redisAvailable();
  if (!found.ok) throw new Error(found.reason);
  const directory = await Deno.makeTempDir({ prefix: "aludel-redis-" });
  const socket = `${directory}/redis.sock`;
  const address = { transport: "unix", path: socket } as const;
  const server = await startChildServer({
    command: [
      found.path,
      ...["--port", String(options.port ?? 0), "--bind", "127.0.0.1"],
      ...["--unixsocket", socket, "--dir", directory],
      ...["--save", "", "--appendonly", "no"],
    ],
    directory,
    signal: "TERM",
    async probe() {
      await using connection = await connectResp(address);
      await connection.send([["PING"]]);
    },
  });
  return {
    socket,
    connect: () => connectResp(address),
    dispose: server.dispose,
    [Symbol.asyncDispose]: server.dispose,
  };
}

async function findOrInstall(): Promise<Availability> {
  const path = await findProgram("redis-server");
  if (path !== undefined) return { ok: true, path };
  const missing = "Cannot run redis-server: it is not on the PATH";
  const debian = await findProgram("apt-get") !== undefined &&
    Deno.uid() === 0;
  if (!debian) return { ok: false, reason: `${missing}; install it` };
  const installed = await apt("install", "redis-server") ||
    await apt("update") && await apt("install", "redis-server");
  const fresh = installed ? await findProgram("redis-server") : undefined;
  if (fresh !== undefined) return { ok: true, path: fresh };
  const reason = `${missing} and apt could not install it; install it by hand`;
  return { ok: false, reason };
}

async function apt(...task: string[]): Promise<boolean> {
  const { success } = await new Deno.Command("apt-get", {
    args: [
      ...["-qq", "-y", "-o", "DPkg::Lock::Timeout=120"],
      ...["--no-install-recommends", ...task],
    ],
    // The package would start a server of its own on the standard port.
    env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}
