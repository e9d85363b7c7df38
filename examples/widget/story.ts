import { startWorkerd, type WorkerSpec } from "../../tests/services/mod.ts";
import { expect, say, seen, story, table } from "../demo/page.ts";

const WORKERS = 8;

interface Counts {
  readonly encodes: number;
  readonly decodes: number;
}

interface Stampede {
  readonly creations: number;
  readonly values: readonly string[];
}

/** Counts the widget program's encodings, then lets 200 callers miss one key. */
export async function tellWidget(): Promise<void> {
  story(
    1,
    "Widget: one creates, the others wait",
    `workerd: KV as backend, a Durable Object as lock, ${WORKERS} Workers`,
  );
  const workers = Array.from({ length: WORKERS }, (_, i): WorkerSpec => ({
    name: `widget-${i}`,
    entry: new URL("./worker.ts", import.meta.url),
    kv: ["CACHE"],
    durableObjects: {
      LOCKS: i === 0
        ? "CacheCoordinator"
        : { className: "CacheCoordinator", worker: "widget-0" },
    },
  }));
  await using workerd = await startWorkerd({ workers });
  const ask = async <T>(path: string, worker = "widget-0"): Promise<T> => {
    const response = await workerd.fetch(`http://widget${path}`, { worker });
    if (!response.ok) throw new Error(await response.text());
    return await response.json() as T;
  };

  const first = await ask<Counts>("/run");
  const second = await ask<Counts>("/run");
  say("The program gets a widget twice, waits two seconds, gets it again.");
  table(["encodes / decodes", "first run", "second run"], [
    ["Beaker", "2 / 6", "2 / 10"],
    ["dogpile.cache 1.1.8", "2 / 2", "1 / 3"],
    ["Aludel", both(first), both(second)],
  ]);
  expect(both(first) === "2 / 1", `2 / 1, not ${both(first)}`);
  expect(both(second) === "1 / 2", `1 / 2, not ${both(second)}`);
  seen("an expired value is known by its metadata and never decoded");
  say("");

  const start = Date.now();
  const answers = await Promise.all(
    workers.map(({ name = "" }) => ask<Stampede>("/stampede", name)),
  );
  const milliseconds = Date.now() - start;
  const creations = answers.reduce((sum, { creations }) => sum + creations, 0);
  const values = new Set(answers.flatMap((answer) => answer.values));
  say(
    `${WORKERS} Workers × 25 callers miss one key at once; creating it takes 250 ms.`,
  );
  table(["creations", "distinct values", "wall time"], [
    [creations, values.size, `${milliseconds} ms`],
  ]);
  expect(creations === 1 && values.size === 1, `1 creation, not ${creations}`);
  seen("created once; 200 callers have the same value");
}

function both({ encodes, decodes }: Counts): string {
  return `${encodes} / ${decodes}`;
}
