import { ok } from "node:assert/strict";
import { measureMemoryHit } from "../../bench/cache/memory_hit.ts";

Deno.test("a hit in memory costs at most 5 times a bare Map with a clock check, in the same run", async () => {
  const { ratio } = await measureMemoryHit();
  ok(ratio <= 5, `${ratio.toFixed(2)} times`);
});
