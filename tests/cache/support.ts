import {
  type CacheEvent,
  type Codec,
  countEvents,
  jsonCodec,
  type Runtime,
} from "../../cache/mod.ts";

/** A clock that moves only when told to, with timers that follow it. */
export class FakeRuntime implements Runtime {
  time = 1_700_000_000_000;
  readonly work: Promise<unknown>[] = [];
  readonly #timers = new Set<{ at: number; wake: () => void }>();

  now = () => this.time;

  waitUntil(work: Promise<unknown>): void {
    this.work.push(work);
  }

  within<T>(seconds: number, work: Promise<T>): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = {
      at: this.time + seconds * 1000,
      wake: () => resolve(undefined),
    };
    this.#timers.add(timer);
    return Promise.race([work, promise])
      .finally(() => this.#timers.delete(timer));
  }

  /** Lets what is ready run, then moves on by `seconds`. */
  async pass(seconds: number): Promise<void> {
    await settled();
    this.time += seconds * 1000;
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at > this.time) continue;
      this.#timers.delete(timer);
      timer.wake();
    }
    await settled();
  }

  /** Waits for all background work. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.work);
  }
}

/** Long enough for every promise that waits for no timer. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A codec that counts. */
export function countingCodec(): Codec & { encodes: number; decodes: number } {
  const codec = {
    encodes: 0,
    decodes: 0,
    encode(value: unknown) {
      codec.encodes++;
      return jsonCodec.encode(value);
    },
    decode(text: string) {
      codec.decodes++;
      return jsonCodec.decode(text);
    },
  };
  return codec;
}

/** Keeps every event, and counts them. */
export function recorder() {
  const events: CacheEvent[] = [];
  const counter = countEvents();
  return {
    events,
    counter,
    trace(event: CacheEvent) {
      events.push(event);
      counter.trace(event);
    },
  };
}

/** A promise that is settled by hand. */
export function gate<T = void>() {
  return Promise.withResolvers<T>();
}
