import { d1 } from "@aludel/aludel/backends/d1";
import {
  createMigrator,
  type Step,
  upgradeScript,
} from "@aludel/aludel/migrate";
import { createEngine } from "@aludel/aludel/sql";
import { countingD1, startWorkerd } from "../../tests/services/mod.ts";
import { expect, log, say, seen, story } from "../demo/page.ts";
import { revisions } from "./revisions.ts";

/** Brings a database up through a branch and a merge, and one step back. */
export async function tellMigrations(): Promise<void> {
  story(
    4,
    "Migrations: a branch, a merge, and back",
    "D1 in workerd; each revision is one batch",
  );
  await using workerd = await startWorkerd({ d1: ["DB"] });
  const counted = countingD1(workerd.d1("DB"));
  const engine = createEngine(d1(counted.db));
  const migrator = createMigrator({ revisions, engine });

  say("upgrade heads");
  const before = counted.trips;
  const up = await migrator.upgrade("heads");
  for (const step of up.steps) log(describe(step));
  seen(
    `${up.steps.length} revisions in ${
      counted.trips - before
    } round trips, reading the heads included; the database is at ${
      up.heads.join(", ")
    }`,
  );
  expect(up.heads.join() === "d00d5e6f70a1", "one head after the merge");
  say("");

  say("downgrade -1");
  const down = await migrator.downgrade("-1");
  for (const step of down.steps) log(describe(step));
  seen(`the merge is undone: two heads again, ${down.heads.join(" and ")}`);
  expect(down.heads.length === 2, "two heads before the merge");
  say("");

  say("upgrade heads --sql");
  // The history is for runs that happen; a page to read is better without.
  const plain = createMigrator({ revisions, engine, historyTable: false });
  const script = await upgradeScript(plain, "heads");
  for (const line of script.split("\n")) if (line !== "") log(line);
  expect(script.includes("ALTER TABLE"), "a script of the same operations");
  seen("the same operations as a script that a DBA can read and run");
}

function describe({ direction, from, to, message }: Step): string {
  const at = (ids: readonly string[]): string => ids.join(", ") || "base";
  return `Running ${direction} ${at(from)} -> ${at(to)}${
    message ? `: ${message}` : ""
  }`;
}
