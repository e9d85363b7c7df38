/**
 * The demo: four stories on real parts, each checked as it is told.
 *
 * Run it with `deno task demo`, or one story with `deno task demo widget`.
 */
// deno-lint-ignore-file no-console -- a program of the terminal
import { tellMigrations } from "../migrations/story.ts";
import { tellPatterns } from "../patterns/story.ts";
import { tellRouters } from "../routing/story.ts";
import { tellWidget } from "../widget/story.ts";
import { print } from "./page.ts";

const STORIES = {
  widget: tellWidget,
  patterns: tellPatterns,
  routers: tellRouters,
  migrations: tellMigrations,
} as const;

const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(STORIES);
const unknown = wanted.find((name) => !Object.hasOwn(STORIES, name));
if (unknown !== undefined) {
  console.error(
    `Cannot tell "${unknown}": the stories are ${
      Object.keys(STORIES).join(", ")
    }`,
  );
  Deno.exit(2);
}

print("Aludel: a cache, a mapper and migrations for the edge");
for (const name of wanted) await STORIES[name as keyof typeof STORIES]();
print();
