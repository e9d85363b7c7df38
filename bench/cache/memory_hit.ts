/**
 * What a hit in memory costs, as a ratio to a bare `Map` with a clock check in
 * the same run: `deno run bench/cache/memory_hit.ts`.
 */
import { memory } from "../../backends/memory.ts";
import { createRegion } from "../../cache/mod.ts";

const LOOPS = 300_000;
const ROUNDS = 9;

const map = new Map([["k", { value: 1, until: Date.now() + 1e9 }]]);
/** As any function that may have to create: it gives a promise. */
// deno-lint-ignore require-await -- the promise is the point
async function floor(key: string): Promise<number> {
  const entry = map.get(key);
  return entry && Date.now() < entry.until ? entry.value : -1;
}

/** Nanoseconds per awaited call. */
async function time(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < LOOPS; i++) await call();
  return (performance.now() - started) * 1e6 / LOOPS;
}

/** The medians of both, measured in turns. */
export async function measureMemoryHit(): Promise<
  { readonly floor: number; readonly hit: number; readonly ratio: number }
> {
  const region = createRegion({ name: "bench", expirationTime: 1e6 })
    .configure({ backend: memory() });
  const create = () => 1;
  await region.getOrCreate("k", create);
  const floors: number[] = [];
  const hits: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await time(() => floor("k")));
    hits.push(await time(() => region.getOrCreate("k", create)));
  }
  const median = (list: number[]) => list.sort((a, b) => a - b)[ROUNDS >> 1]!;
  const [low, high] = [median(floors), median(hits)];
  return { floor: low, hit: high, ratio: high / low };
}

if (import.meta.main) {
  const { floor, hit, ratio } = await measureMemoryHit();
  // deno-lint-ignore no-console -- it is a program
  console.log(
    `Map ${floor.toFixed(0)} ns, hit ${hit.toFixed(0)} ns, ratio ${
      ratio.toFixed(2)
    }`,
  );
}
