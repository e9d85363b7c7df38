import type { Dialect } from "../../sql/mod.ts";
import type { Operation } from "./operation.ts";

/** Operations with those of one's own replaced by what they stand for. */
export function expanded(
  operations: readonly Operation[],
  dialect: Dialect,
): Operation[] {
  return operations.flatMap((operation): Operation[] => {
    switch (operation.kind) {
      case "custom":
        return expanded(operation.standsFor(dialect), dialect);
      case "autocommitBlock":
        return [{
          ...operation,
          operations: expanded(operation.operations, dialect),
        }];
      default:
        return [operation];
    }
  });
}
