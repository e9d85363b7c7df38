/**
 * What an entity costs the type checker: `deno check` of generated schemas of
 * 10 and of 100 entities, each with columns, relations both ways, attributes
 * of other kinds, and a query that loads two levels.
 *
 * ```
 * deno run -A bench/orm/check_time.ts
 * ```
 *
 * Ten schemas of 10 stand against one of 100. The time that a program without
 * any entity takes is taken off, so that the ratio is of the entities alone; 2
 * is the most that is allowed.
 */
import { join } from "node:path";

/** Most that an entity of the large schema may cost, in entities of the small one. */
const LIMIT = 2;

const root = join(import.meta.dirname!, "..", "..");

/** A module of so many entities, each related to the next. */
export function schemaOf(entities: number): string {
  const lines = [
    `import { composite, Entity, hybrid, integer, manyToOne, oneToMany, selectinload, Session, text, timestamp } from "${root}/orm/mod.ts";`,
    `import { MetaData, select, times } from "${root}/sql/mod.ts";`,
    "class Point { constructor(readonly x: number, readonly y: number) {} }",
    "abstract class Base extends Entity.with({ id: integer().primaryKey(), made: timestamp().nullable() }) {",
    "  static override metadata = new MetaData();",
    "}",
    "const session = new Session();",
  ];
  for (let i = 0; i < entities; i++) {
    const next = (i + 1) % entities;
    const last = (i + entities - 1) % entities;
    lines.push(`
class E${i} extends Base.table("e${i}", {
  name: text(50),
  note: text().nullable(),
  size: integer().default(0),
  x: integer(),
  y: integer(),
  at: composite(Point, "x", "y"),
  nextId: integer().references("e${next}.id").nullable(),
  next: () => manyToOne(E${next}, { backPopulates: "former" }),
  former: () => oneToMany(E${last}, { backPopulates: "next" }),
}, {
  attributes: (of) => ({
    double: hybrid(of, (self) => self.size * 2, (c) => times(c.size, 2)),
  }),
}) {
  label(): string {
    return this.name + this.double;
  }
}
export async function use${i}(): Promise<string> {
  session.add(new E${i}({ name: "a", at: new Point(1, 2), next: null }));
  const [one] = await session.scalars(
    select(E${i}).where(E${i}.c.name.eq("a"), E${i}.c.double.gt(3)).options(
      selectinload(E${i}.r.next, selectinload(E${next}.r.former)),
      selectinload(E${i}.r.former),
    ),
  );
  for (const former of one!.former) former.label();
  return one!.next.value?.former.at(0)?.label() ?? "";
}`);
  }
  return lines.join("\n");
}

/** The least processor time of some checks, in milliseconds; other processes do not count. */
async function checkTime(
  main: string,
  files: readonly string[],
  runs: number,
): Promise<number> {
  let best = Infinity;
  const config = join(root, "deno.json");
  for (let i = 0; i < runs; i++) {
    // A comment of its own, so that no earlier answer is given.
    for (const file of files) {
      await Deno.writeTextFile(file, `\n// ${crypto.randomUUID()}`, {
        append: true,
      });
    }
    const { stderr } = await new Deno.Command("bash", {
      args: [
        "-c",
        `TIMEFORMAT="cpu %U"; time "$0" check --quiet --no-lock --config "$1" "$2"`,
        Deno.execPath(),
        config,
        main,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stderr);
    const seconds = /^\s*cpu ([\d.]+)\s*$/.exec(said)?.[1];
    if (seconds === undefined) throw new Error(said);
    best = Math.min(best, Number(seconds) * 1000);
  }
  return best;
}

/** What an entity costs in a small and in a large schema, in milliseconds. */
export async function costOfAnEntity(
  runs = 3,
): Promise<{ small: number; large: number; ratio: number }> {
  const dir = await Deno.makeTempDir();
  try {
    // As many entities either way, so that what is compared is well above noise.
    const timeOf = async (schemas: number, entities: number) => {
      const names = Array.from(
        { length: schemas },
        (_, i) => `schema_${entities}_${i}.ts`,
      );
      const files = names.map((name) => join(dir, name));
      for (const file of files) {
        await Deno.writeTextFile(file, schemaOf(entities));
      }
      const main = join(dir, `main_${entities}.ts`);
      await Deno.writeTextFile(
        main,
        names.map((name) => `import "./${name}";`).join("\n"),
      );
      return await checkTime(main, files, runs);
    };
    const none = await timeOf(1, 0);
    const small = (await timeOf(10, 10) - none) / 100;
    const large = (await timeOf(1, 100) - none) / 100;
    return { small, large, ratio: large / small };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

if (import.meta.main) {
  const { small, large, ratio } = await costOfAnEntity();
  const report = `an entity of 10 costs ${
    small.toFixed(1)
  } ms, one of 100 costs ${large.toFixed(1)} ms: ${
    ratio.toFixed(2)
  } times as much (at most ${LIMIT})`;
  await Deno.stdout.write(new TextEncoder().encode(report + "\n"));
  if (ratio > LIMIT) Deno.exit(1);
}
