import { confirm, isCancel, spinner } from "@clack/prompts";
import type { Progress, Terminal } from "./output.ts";

const encoder = new TextEncoder();

/** The terminal this process runs in. */
export function processTerminal(
  options: { readonly isQuiet?: boolean; readonly isJson?: boolean } = {},
): Terminal {
  const isInteractive = Deno.stdin.isTerminal() && Deno.stdout.isTerminal() &&
    !options.isJson;
  return {
    out: (line) => write(Deno.stdout, line),
    err: (line) => {
      if (!options.isQuiet) write(Deno.stderr, line);
    },
    isInteractive,
    confirm: async (question) => {
      const answer = await confirm({ message: question, initialValue: false });
      return !isCancel(answer) && answer;
    },
    progress: () => isInteractive && !options.isQuiet ? spinning() : SILENT,
  };
}

const SILENT: Progress = { say: () => {}, end: () => {} };

function spinning(): Progress {
  const shown = spinner();
  let isStarted = false;
  return {
    say(message) {
      if (isStarted) shown.message(message);
      else shown.start(message);
      isStarted = true;
    },
    end(message) {
      if (isStarted) shown.stop(message);
    },
  };
}

function write(stream: typeof Deno.stdout, line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
}
