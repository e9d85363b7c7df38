/**
 * Runs a database server as a child that cannot outlive us.
 *
 * @module
 */

/** Whether a server can be had on this machine. */
export type Availability =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly reason: string };

/** A directory of our own, and the server in it. */
export interface ChildServer extends AsyncDisposable {
  /** Ends the server, waits for its end and removes the directory. */
  dispose(): Promise<void>;
}

/** How to run it. */
export interface ChildServerOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The temporary directory; removed at the end. */
  readonly directory: string;
  /** The signal that makes it leave at once. */
  readonly signal: "TERM" | "QUIT";
  /** The user to run as, where it may not run as root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Resolves once the server answers; rejects while it does not yet. */
  readonly probe: () => Promise<void>;
}

/**
 * Watches standard input beside the server. A line means a tidy end; the end of
 * input means that we died, however that came about, and then the directory goes
 * too, even if a signal to the whole group had ended the server. It takes the shell's place, so that its id is the child's.
 */
const GUARD = `
exec 3<&0
(
  trap '' INT TERM HUP
  if read -r _ <&3; then kill -"$1" $$
  else kill -"$1" $$; sleep 1; rm -rf "$2"
  fi
) &
log="$2/server.log"
shift 2
exec "$@" >"$log" 2>&1 3<&- </dev/null
`;

const START_DEADLINE_MS = 20_000;

/**
 * Starts a server and waits until it answers.
 *
 * @throws {Error} If it ends or does not answer in 20 s; the last lines of its
 * log are in the message, and nothing is left of it.
 */
export async function startChildServer(
  options: ChildServerOptions,
): Promise<ChildServer> {
  const { command, directory, probe, signal, user } = options;
  const child = new Deno.Command("sh", {
    args: ["-c", GUARD, "sh", signal, directory, ...command],
    cwd: directory,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    ...user,
  }).spawn();
  let alive = true;
  const ended = child.status.then(() => {
    alive = false;
  });
  let disposed: Promise<void> | undefined;
  const dispose = () =>
    disposed ??= (async () => {
      const input = child.stdin.getWriter();
      // If the server is gone already, its watcher still waits for this line.
      await input.write(new TextEncoder().encode("\n")).catch(() => {});
      await input.close().catch(() => {});
      await ended;
      await Deno.remove(directory, { recursive: true });
    })();

  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      await probe();
      return { dispose, [Symbol.asyncDispose]: dispose };
    } catch (cause) {
      if (alive && Date.now() < deadline) {
        await new Promise((done) => setTimeout(done, 10));
        continue;
      }
      const log = await Deno.readTextFile(`${directory}/server.log`)
        .catch(() => "");
      await dispose();
      const last = log.trim().split("\n").slice(-3).join(" | ");
      throw new Error(
        `Cannot start ${command[0]}: ${
          alive ? "no answer in 20 s" : "it ended"
        }; its log says: ${last}`,
        { cause },
      );
    }
  }
}

/** Finds a program on the PATH or in one of `directories`. */
export async function findProgram(
  name: string,
  directories: readonly string[] = [],
): Promise<string | undefined> {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  for (const directory of [...path, ...directories]) {
    const file = `${directory}/${name}`;
    try {
      if ((await Deno.stat(file)).isFile) return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
