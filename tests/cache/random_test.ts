import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { durableObjectLock } from "../../backends/durable_object.ts";
import { kv } from "../../backends/kv.ts";
import { memory } from "../../backends/memory.ts";
import {
  type CacheBackend,
  type CacheRegion,
  createRegion,
  jsonCodec,
  NO_VALUE,
  pause,
  type Runtime,
} from "../../cache/mod.ts";
import { localCoordinator } from "./coordinator.ts";
import { LaggyKv } from "./laggy_kv.ts";

const ISOLATES = 3;
const KEYS = ["a", "b"] as const;
/** Age from which a value is expired, in seconds. */
const EXPIRATION = 30;
/** How long a caller waits for another, in seconds: the default. */
const PATIENCE = 10;
/** How long who leads may take before another may, in seconds: the default. */
const LEASE = 25;
/** What a creation may take: less than anybody's patience, or more than a lease. */
const BRISK = 8;
const SLOW = 40;

/** One step: what, by which isolate, on which key, and how long it takes. */
type Step = readonly [
  verb: "call" | "fail" | "pass" | "invalidate" | "soften" | "delete",
  isolate: number,
  key: number,
  seconds: number,
];

const steps = (longest: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.tuple(
      fc.constantFrom<Step[0]>(
        ...["call", "call", "call", "call", "call", "fail"] as const,
        ...["pass", "pass", "pass", "invalidate", "soften", "delete"] as const,
      ),
      fc.nat(ISOLATES - 1),
      fc.nat(KEYS.length - 1),
      fc.nat(longest),
    ),
    { maxLength: 40, size: "max" },
  );

/** One clock for regions, lock and store; it stands still unless told to move. */
class Clock implements Runtime, Disposable {
  #time = 1_700_000_000_000;
  #last = 0;
  readonly #timers = new Map<number, { at: number; wake: () => void }>();
  readonly #platform = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };
  readonly #dateNow = Date.now;

  constructor() {
    // The coordinator has no clock but its platform's.
    Date.now = this.now;
    Object.assign(globalThis, {
      setTimeout: (wake: (...args: unknown[]) => void, ms = 0, ...args: []) =>
        this.#start(ms, () => wake(...args)),
      clearTimeout: (id: number) => void this.#timers.delete(id),
    });
  }

  now = (): number => this.#time;
  waitUntil(): void {}
  within<T>(seconds: number, work: Promise<T>): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const id = this.#start(seconds * 1000, () => resolve(undefined));
    return Promise.race([work, promise])
      .finally(() => this.#timers.delete(id));
  }

  /** In seconds. */
  get seconds(): number {
    return this.#time / 1000;
  }

  /** Lets everything happen that waits for no time. */
  async rest(): Promise<void> {
    for (let i = 0; i < 10; i++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Moves on, a second at a time. */
  async pass(seconds: number): Promise<void> {
    await this.rest();
    for (let i = 0; i < seconds; i++) await this.tick(1000);
  }

  /** Moves on at once, and wakes whose time has come. */
  async tick(ms: number): Promise<void> {
    this.#time += ms;
    for (const [id, { at, wake }] of [...this.#timers]) {
      if (at > this.#time) continue;
      this.#timers.delete(id);
      wake();
    }
    await this.rest();
  }

  #start(ms: number, wake: () => void): number {
    this.#timers.set(++this.#last, { at: this.#time + ms, wake });
    return this.#last;
  }

  [Symbol.dispose](): void {
    Date.now = this.#dateNow;
    Object.assign(globalThis, this.#platform);
  }
}

/** A value, and when it was made. */
interface Creation {
  readonly began: number;
  ended: number;
  isGood: boolean;
  /** Whether it asked the lock first, not having waited too long for that. */
  readonly isElected: boolean;
}

/** Several isolates that share a store and a lock, and what must hold of them. */
class World {
  readonly clock = new Clock();
  readonly regions: readonly CacheRegion[];
  readonly open = new Set<Promise<void>>();
  readonly made = new Map<string, Creation[]>(KEYS.map((key) => [key, []]));
  /** When what was there ceased to count: for an isolate and a key. */
  readonly ceased = new Map<string, number>();
  readonly longest: number;
  readonly hard: number[] = Array(ISOLATES).fill(0);
  /** What did not hold; a creator that throws would be the region's matter. */
  readonly problems: string[] = [];

  constructor(
    backendOf: (isolate: number, clock: Clock) => CacheBackend,
    longest: number,
  ) {
    this.longest = longest;
    const lock = durableObjectLock(localCoordinator());
    this.regions = Array.from(
      { length: ISOLATES },
      (_, i) =>
        createRegion({ name: "r", runtime: this.clock, codec: jsonCodec })
          .configure({
            backend: backendOf(i, this.clock),
            lock,
            expirationTime: EXPIRATION,
          }),
    );
  }

  async step([verb, isolate, k, seconds]: Step): Promise<void> {
    const { clock } = this;
    const key = KEYS[k]!;
    const region = this.regions[isolate]!;
    const cease = () => {
      for (const one of KEYS) this.ceased.set(one, clock.seconds);
    };
    // No two steps happen at once.
    await clock.tick(10);
    switch (verb) {
      case "call":
      case "fail": {
        const call = this.call(region, isolate, key, seconds, verb === "fail")
          .finally(() => this.open.delete(call));
        this.open.add(call);
        return await clock.rest();
      }
      case "pass":
        return await clock.pass(seconds);
      case "invalidate":
        await region.invalidate();
        this.hard[isolate] = clock.seconds;
        return cease();
      case "soften":
        await region.invalidate({ hard: false });
        return cease();
      case "delete":
        await Promise.all([region.delete(key), clock.rest()]);
        return cease();
    }
  }

  /** Who outlived its lease must not have undone what another made since. */
  async checkNewest(): Promise<void> {
    for (const key of KEYS) {
      const found = await this.regions[0]!.get<{ n: number }>(key, {
        ignoreExpiration: true,
      });
      if (found === NO_VALUE) continue;
      const made = this.made.get(key)!;
      const left = made[found.n]!;
      const newer = left.isElected &&
        made.some((one) =>
          one.isGood && one.isElected && one.began >= left.began + LEASE &&
          one.ended < left.ended
        );
      if (newer) this.problems.push(`${key} is not the newest`);
    }
  }

  async call(
    region: CacheRegion,
    isolate: number,
    key: string,
    seconds: number,
    fails: boolean,
  ): Promise<void> {
    const { clock } = this;
    const made = this.made.get(key)!;
    const began = clock.seconds;
    const hard = this.hard[isolate]!;
    let value: { n: number };
    try {
      value = await region.getOrCreate(key, async () => {
        // Who has waited for two others waits no more, whatever goes on.
        const isPatient = clock.seconds - began < 2 * PATIENCE;
        const isBrisk = this.longest < PATIENCE;
        // Nobody is told of one who waits no more.
        const busy = made.find(({ ended, isElected }) =>
          ended === Infinity && isElected
        );
        if (busy && isPatient && isBrisk) {
          this.problems.push(`${key} is created twice at once`);
        }
        const again = made.find((one) =>
          one.isGood && clock.seconds - one.ended < EXPIRATION &&
          one.began > (this.ceased.get(key) ?? 0)
        );
        if (again && isPatient && isBrisk) {
          this.problems.push(`${key} is created though it is fresh`);
        }
        const creation = {
          began: clock.seconds,
          ended: Infinity,
          isGood: false,
          isElected: isPatient,
        };
        const n = made.push(creation) - 1;
        await pause(clock, seconds);
        creation.ended = clock.seconds;
        if (fails) throw new Error("no luck");
        creation.isGood = true;
        return { n };
      });
    } catch (error) {
      if (/no luck/.test(String(error))) return;
      throw error;
    } finally {
      const most = 2 * PATIENCE + this.longest + 2;
      if (clock.seconds - began > most) {
        this.problems.push(`a caller of ${key} waited too long`);
      }
    }
    const creation = made[value.n]!;
    if (creation.began < hard) {
      this.problems.push(`${key} was invalid before the call`);
    }
    const isStale = clock.seconds - creation.ended > EXPIRATION &&
      began - creation.ended > EXPIRATION;
    const isRenewed = made.some((one) =>
      one !== creation && one.began <= clock.seconds && one.ended >= began
    );
    if (isStale && !isRenewed) {
      this.problems.push(`${key} is stale and nobody renews it`);
    }
  }
}

for (
  const [name, backends] of [
    ["one memory", () => {
      const shared = memory();
      return () => shared;
    }],
    ["KV of three locations that lag", () => {
      let first: LaggyKv | undefined;
      return (_: number, { now }: Clock) => {
        first ??= new LaggyKv({ now });
        return kv(first.elsewhere());
      };
    }],
  ] as [string, () => (isolate: number, clock: Clock) => CacheBackend][]
) {
  for (
    const [longest, claim] of [
      [
        BRISK,
        "create one at a time, wait for no one too long, and see nothing invalid",
      ],
      [
        SLOW,
        "outlive their leases, and still wait for no one too long, see nothing invalid, and leave the newest",
      ],
    ] as const
  ) {
    Deno.test(`random calls of three isolates on ${name} ${claim}`, async () => {
      const { FC_SEED } = Deno.env.toObject();
      await fc.assert(
        fc.asyncProperty(steps(longest), async (all) => {
          const world = new World(backends(), longest);
          using clock = world.clock;
          for (const step of all) await world.step(step);
          const open = [...world.open];
          await clock.pass(2 * PATIENCE + SLOW);
          strictEqual(world.open.size, 0, "callers wait for good");
          await Promise.all(open);
          if (name === "one memory") await world.checkNewest();
          deepStrictEqual(world.problems, []);
        }),
        { numRuns: 100, ...FC_SEED ? { seed: Number(FC_SEED) } : {} },
      );
    });
  }
}
