/** What a guard of ours said when it aborted a batch. */
export interface GuardReport {
  /** Which guard it was. */
  readonly label: string;
  /** What it found. */
  readonly detail: string;
}

const REPORT = /(aludel_[a-z]+):([^'"\n]*)/;

/** Finds a guard's report in an error, however platforms have wrapped it. */
export function findGuard(error: unknown): GuardReport | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const label = "label" in at && typeof at.label === "string" ? at.label : "";
    const match = REPORT.exec(label) ?? REPORT.exec(at.message);
    if (match) return { label: match[1]!, detail: match[2]! };
  }
  return undefined;
}
