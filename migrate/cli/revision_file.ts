import { MigrateError } from "../errors.ts";

/** What a new revision file says. */
export interface NewRevision {
  /** The id. */
  readonly revision: string;
  /** Parents. */
  readonly downRevision: readonly string[];
  /** Dependencies. */
  readonly dependsOn: readonly string[];
  /** Labels. */
  readonly branchLabels: readonly string[];
  /** One line for people. */
  readonly message: string;
  /** When it was written. */
  readonly createDate: Date;
  /** The time zone of that. */
  readonly timezone: string;
}

/** What a file says about what its revision does. */
export interface RevisionContent {
  /** The members that record it. @default an empty upgrade */
  readonly body?: string;
  /** The lines that import what those need. */
  readonly imports?: string;
}

/** A new id: twelve hexadecimal digits. */
export function newRevisionId(): string {
  return crypto.randomUUID().replaceAll("-", "").slice(-12);
}

/**
 * The words of a message as they stand in a file name: lower case, cut at the
 * end of a word.
 */
export function slugOf(message: string, length = 40): string {
  const words = message.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  let slug = "";
  for (const word of words) {
    const longer = slug === "" ? word : `${slug}_${word}`;
    if (longer.length > length) break;
    slug = longer;
  }
  return slug || (words[0]?.slice(0, length) ?? "");
}

/**
 * The name of a new file, from a template.
 *
 * @throws {MigrateError} If the time zone is unknown.
 */
export function fileNameOf(
  template: string,
  { revision, message, createDate, timezone }: NewRevision,
  slugLength?: number,
): string {
  const date = dateParts(createDate, timezone);
  const tokens: Readonly<Record<string, string>> = {
    rev: revision,
    slug: slugOf(message, slugLength),
    epoch: String(Math.floor(createDate.getTime() / 1000)),
    ...date,
  };
  const name = template.replace(
    /\{(\w+)\}/g,
    (whole, token: string) => tokens[token] ?? whole,
  );
  return `${name.replace(/_+(?=\/|$)/g, "")}.ts`;
}

/** A date in a time zone, each part with leading zeros. */
function dateParts(date: Date, timezone: string): Record<string, string> {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: timezone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
  } catch (cause) {
    throw new MigrateError(
      "timezone",
      `Cannot use time zone '${timezone}': it is not known; name one such as 'Europe/Vienna'`,
      { cause },
    );
  }
  return Object.fromEntries(
    format.formatToParts(date).filter(({ type }) => type !== "literal").map((
      { type, value },
    ) => [type, value]),
  );
}

/** The text of a new revision file. A merge records nothing. */
export function revisionFileText(
  revision: NewRevision,
  options: RevisionContent = {},
): string {
  const { createDate, timezone, message, downRevision } = revision;
  const { year, month, day, hour, minute, second } = dateParts(
    createDate,
    timezone,
  );
  const date =
    `${year}-${month}-${day} ${hour}:${minute}:${second} ${timezone}`;
  const list = (names: readonly string[]) =>
    `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;
  const down = downRevision.length === 0
    ? "null"
    : downRevision.length === 1
    ? JSON.stringify(downRevision[0])
    : list(downRevision);
  const body = options.body ??
    (downRevision.length > 1
      ? ""
      : '  upgrade(_op) {\n  },\n  downgrade: "reverse",\n');
  return `/**
 * ${message.replaceAll("*/", "*\\/") || revision.revision}
 *
 * Revision: ${revision.revision}
 * Revises: ${downRevision.join(", ") || "(base)"}
 * Created: ${date}
 */
${options.imports ?? 'import { revision } from "@aludel/aludel/migrate";'}

export default revision({
  revision: ${JSON.stringify(revision.revision)},
  downRevision: ${down},
  branchLabels: ${list(revision.branchLabels)},
  dependsOn: ${list(revision.dependsOn)},
  message: ${JSON.stringify(message)},
  createDate: ${JSON.stringify(createDate.toISOString())},
${body}});
`;
}
