import { ok } from "node:assert/strict";
import { measure } from "../../bench/migrate/graph.ts";

Deno.test("a graph of 10 000 revisions is loaded, validated and planned in under 150 ms, and grows linearly", () => {
  const small = measure(2500, 5);
  const large = measure(10_000, 5);
  const total = large.loadMs + large.planMs;

  // A machine that does other work at the same time is given some room.
  ok(total < 450, `${total.toFixed(1)} ms`);
  const growth = total / (small.loadMs + small.planMs);
  ok(
    growth < 12,
    `four times the size took ${growth.toFixed(1)} times as long`,
  );
});
