/** What a command gives back: lines for people, data for machines, a code. */
export interface CommandResult {
  /** What people read. */
  readonly lines: readonly string[];
  /** What `--json` prints. */
  readonly json: unknown;
  /** The exit code. @default {0} */
  readonly exitCode?: ExitCode;
}

/**
 * What the command line answers to the program that called it:
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | done, or yes |
 * | 1 | failed; one line says why |
 * | 2 | no: `check` found a difference, `current --check-heads` another head, or a question is open |
 * | 3 | some databases arrived and some did not |
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** Where a command talks to. */
export interface Terminal {
  /** Prints a line of the answer. */
  out(line: string): void;
  /** Prints a remark beside the answer. */
  err(line: string): void;
  /** Whether a person is there to be asked. */
  readonly isInteractive: boolean;
  /** Asks yes or no. */
  confirm(question: string): Promise<boolean>;
  /** Lets one of several be chosen; `undefined` if none was. */
  choose(
    question: string,
    choices: readonly Choice[],
  ): Promise<string | null | undefined>;
  /** Shows work under way, where a person watches. */
  progress(): Progress;
}

/** One of several answers. */
export interface Choice {
  /** What it means. */
  readonly value: string | null;
  /** What people read. */
  readonly label: string;
  /** What it brings about. */
  readonly hint?: string;
}

/** Work under way. */
export interface Progress {
  /** Says what is being done. */
  say(message: string): void;
  /** Ends the display. */
  end(message: string): void;
}
