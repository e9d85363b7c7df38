import { ok } from "node:assert/strict";
import { type Cost, measure, slowness } from "../../bench/migrate/graph.ts";

const total = ({ loadMs, planMs }: Cost) => loadMs + planMs;

Deno.test("a graph of 10 000 revisions is loaded, validated and planned in under 150 ms of the processor, and grows linearly", () => {
  // A machine that does other work at the same time takes longer over anything.
  const most = 150 * slowness();
  const large = total(measure(10_000, 25, most));
  ok(large < most, `${large.toFixed(1)} ms of ${most.toFixed(1)}`);

  const growth = total(measure(20_000, 5)) / total(measure(5000, 5));
  ok(
    growth < 8,
    `four times the size took ${growth.toFixed(1)} times as long`,
  );
});
