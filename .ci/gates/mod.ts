/** Every gate there is, the quick ones first. */
import { budgets } from "./budgets.ts";
import {
  doc,
  edgeTypes,
  examples,
  fmt,
  lint,
  publish,
  strict,
  types,
} from "./deno_gates.ts";
import { dependencies } from "./dependencies.ts";
import { edgeBundle, sideEffects } from "./edge.ts";
import type { Gate } from "./gate.ts";
import { names } from "./names.ts";

/** In the order of the report. */
export const GATES: readonly Gate[] = [
  fmt,
  lint,
  names,
  dependencies,
  types,
  strict,
  edgeTypes,
  edgeBundle,
  sideEffects,
  budgets,
  doc,
  examples,
  publish,
];
