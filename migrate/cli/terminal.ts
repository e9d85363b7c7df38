import { confirm, isCancel, select, spinner } from "@clack/prompts";
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
    choose: async (question, choices) => {
      // An answer that is null would not be told from none.
      const options = choices.map((choice, value) => ({ ...choice, value }));
      const answer = await select({ message: question, options });
      return isCancel(answer) ? undefined : choices[answer]?.value;
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
      isStarted = false;
    },
  };
}

function write(stream: typeof Deno.stdout, line: string): void {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) {
    at += stream.writeSync(bytes.subarray(at));
  }
}
