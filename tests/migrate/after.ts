/** A database that revisions are tried on, one after the other. */
import { createMigrator, type Revision, revision } from "../../migrate/mod.ts";
import type { Engine, NamingConvention } from "../../sql/mod.ts";
import { memoryEngine, rowsOf } from "./databases.ts";
import type { Record } from "./planned.ts";

/** A database in which `first` has run, and what runs after it. */
export async function after(
  first: Record,
  naming?: NamingConvention,
  engine: Engine = memoryEngine(),
) {
  const revisions: Revision[] = [];
  const migrator = () =>
    createMigrator({ revisions, engine, ...(naming ? { naming } : {}) });
  const add = (upgrade: Record) => {
    const id = `r${revisions.length}`.padEnd(8, "0");
    const last = revisions.at(-1)?.revision ?? null;
    revisions.push(
      revision({
        revision: id,
        downRevision: last,
        upgrade,
        downgrade: "reverse",
      }),
    );
  };
  add(first);
  await migrator().upgrade();
  return {
    engine,
    /** The statements of a further revision, which is not kept. */
    plan(upgrade: Record): string[] {
      add(upgrade);
      try {
        const { planner } = migrator();
        const last = revisions.at(-1)!;
        const steps = planner.upgrade([last.downRevision[0]!], "head");
        return steps[0]!.segments.flatMap(({ statements }) =>
          statements.map(({ sql }) => sql)
        );
      } finally {
        revisions.pop();
      }
    },
    async run(upgrade: Record): Promise<void> {
      add(upgrade);
      await migrator().upgrade();
    },
    async undo(): Promise<void> {
      await migrator().downgrade("-1");
      revisions.pop();
    },
    rows: (sql: string) => rowsOf(engine, sql),
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

/** Whether statements rebuild a table. */
export const isRebuilt = (statements: readonly string[]) =>
  statements.some((sql) => sql.startsWith('CREATE TABLE "_aludel_stage_'));

/** The text of one table. */
export async function tableText(engine: Engine, name: string): Promise<string> {
  const [row] = await rowsOf(
    engine,
    `SELECT sql FROM sqlite_master WHERE name = '${name}' AND type = 'table'`,
  );
  return String(row?.[0]);
}
