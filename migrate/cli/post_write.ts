import type { PostWriteHook } from "../define.ts";
import { MigrateError } from "../errors.ts";

/** What stands for the file among the arguments of a hook. */
const FILE = "REVISION_SCRIPT_FILENAME";

/**
 * Formats source as `deno fmt` does, with the settings of the project; leaves
 * it as it is where that cannot be run.
 */
export async function formatted(source: string): Promise<string> {
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--ext", "ts", "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(source));
    await writer.close();
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : source;
  } catch {
    return source;
  }
}

/**
 * Runs programs on a file that was just written, one after the other.
 *
 * @throws {MigrateError} If one is incomplete, cannot be run, or fails.
 */
export async function runPostWriteHooks(
  path: string,
  hooks: readonly PostWriteHook[],
): Promise<void> {
  for (const { executable, args = [], cwd } of hooks) {
    if (!executable) {
      throw new MigrateError(
        "hook",
        "Cannot run a post-write hook: it names no executable; give one in postWriteHooks of env.ts",
      );
    }
    const given = args.includes(FILE) ? args : [FILE, ...args];
    const command = new Deno.Command(executable, {
      args: given.map((arg) => arg === FILE ? path : arg),
      stdout: "inherit",
      stderr: "inherit",
      ...(cwd === undefined ? {} : { cwd }),
    });
    let code: number;
    try {
      ({ code } = await command.spawn().status);
    } catch (cause) {
      throw new MigrateError(
        "hook",
        `Cannot run post-write hook '${executable}': it could not be started; install it, or leave it out of env.ts`,
        { cause },
      );
    }
    if (code !== 0) {
      throw new MigrateError(
        "hook",
        `Cannot go on after post-write hook '${executable}': it ended with ${code}; the revision is written`,
      );
    }
  }
}
