/** A directory of migrations of its own, and the command line pointed at it. */
import { equal, match } from "node:assert/strict";
import type { Choice, Terminal } from "../../migrate/cli/output.ts";
import { runProgram } from "../../migrate/cli/program.ts";

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

export class Project implements Disposable {
  readonly directory: string;
  readonly dir: string;

  constructor() {
    Deno.mkdirSync(`${ROOT}/.wrangler`, { recursive: true });
    this.directory = Deno.makeTempDirSync({ dir: `${ROOT}/.wrangler` });
    this.dir = `${this.directory}/migrations`;
  }

  /** Runs a command with nobody at the terminal. */
  async run(...args: string[]) {
    return await this.ask(undefined, ...args);
  }

  /** Runs a command with somebody who takes one of several choices. */
  async ask(
    answer:
      | ((question: string, choices: readonly Choice[]) => number)
      | undefined,
    ...args: string[]
  ) {
    const out: string[] = [];
    const err: string[] = [];
    const terminal: Terminal = {
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      isInteractive: answer !== undefined,
      confirm: () => Promise.resolve(false),
      choose: (question, choices) =>
        Promise.resolve(choices[answer?.(question, choices) ?? -1]?.value),
      progress: () => ({ say: () => {}, end: () => {} }),
    };
    const code = await runProgram(["--dir", this.dir, ...args], {
      terminal: () => terminal,
    });
    return { code, out, err };
  }

  /** Runs what must succeed. */
  async ok(...args: string[]): Promise<string[]> {
    const { code, out, err } = await this.run(...args);
    equal(code, 0, `${args.join(" ")}: ${err.join("\n")}`);
    return out;
  }

  /** Runs what must fail, with one line. */
  async fails(code: number, text: RegExp, ...args: string[]): Promise<void> {
    const result = await this.run(...args);
    equal(result.code, code, result.out.concat(result.err).join("\n"));
    const said = [...result.err, ...result.out];
    match(said.at(-1) ?? "", text);
    if (code === 1) equal(result.err.length, 1, "one line");
  }

  env(text: string): void {
    Deno.writeTextFileSync(`${this.dir}/env.ts`, text);
  }

  revise(id: string, body: string): void {
    const name = this.files().find((file) => file.startsWith(id))!;
    const path = `${this.dir}/${name}`;
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(
      path,
      text.replace(/ {2}upgrade\(_op\) \{\n {2}\},\n/, body),
    );
  }

  files(): string[] {
    return [...Deno.readDirSync(this.dir)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}
