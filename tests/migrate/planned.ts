/** What revisions come to, without a database. */
import { pglite } from "../../backends/pglite.ts";
import {
  createMigrator,
  type Operation,
  Operations,
  revision,
} from "../../migrate/mod.ts";
import { createEngine, type Engine } from "../../sql/mod.ts";
import { memoryEngine } from "./databases.ts";

export type Record = (op: Operations) => void;

export const ENGINES: { readonly [name: string]: Engine } = {
  sqlite: memoryEngine(),
  // Nothing is sent: planning needs the language alone.
  postgres: createEngine(pglite({} as Parameters<typeof pglite>[0])),
};

/** The statements of a revision that stands on one that makes tables. */
export function planned(
  dialect: "sqlite" | "postgres",
  record: Record,
  before: Record = () => {},
): string[] {
  const { planner } = createMigrator({
    revisions: [
      revision({ revision: "aaaa1111", upgrade: before }),
      revision({
        revision: "bbbb2222",
        downRevision: "aaaa1111",
        upgrade: record,
      }),
    ],
    engine: ENGINES[dialect]!,
  });
  const [step] = planner.upgrade(["aaaa1111"], "head");
  return step!.segments.flatMap(({ statements }) =>
    statements.map(({ sql }) => sql)
  );
}

export function recorded(record: Record): readonly Operation[] {
  const op = new Operations();
  record(op);
  return op.take();
}
