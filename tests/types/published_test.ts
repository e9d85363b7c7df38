import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL as toFileUrl } from "node:url";
import {
  Author,
  Book,
  Box,
  mappedShelf,
  metadata,
  Shelf,
} from "../../examples/published/entities.ts";
import { selectinload } from "../../orm/mod.ts";
import { select } from "../../sql/mod.ts";
import { memory } from "../orm/memory.ts";

const root = join(import.meta.dirname!, "..", "..");
const example = join(root, "examples", "published", "entities.ts");

async function deno(...args: string[]): Promise<string> {
  const { success, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return success ? "" : text.decode(stdout) + text.decode(stderr);
}

/** Complaints that name a file of a folder or name. */
function complaintsAbout(name: string, said: string): number {
  return said.split("\n").filter((line) =>
    line.includes("at file:") && line.includes(`/${name}`)
  ).length;
}

Deno.test("a package can export entities whose types need no inference", async () => {
  const { compilerOptions } = JSON.parse(
    await Deno.readTextFile(join(root, ".ci", "strict.json")),
  );
  const dir = await Deno.makeTempDir();
  try {
    const config = join(dir, "deno.json");
    const at = (room: string) => toFileUrl(join(root, room, "mod.ts")).href;
    const imports = {
      "@aludel/aludel/orm": at("orm"),
      "@aludel/aludel/sql": at("sql"),
    };
    await Deno.writeTextFile(
      config,
      JSON.stringify({ compilerOptions, imports }),
    );
    const check = ["check", "--quiet", "--no-lock", "--config", config];
    strictEqual(complaintsAbout("published", await deno(...check, example)), 0);
    // The same without the shape written down is refused: the check can fail.
    const inferred = join(dir, "inferred.ts");
    await Deno.writeTextFile(
      inferred,
      `import { Entity, integer } from "@aludel/aludel/orm";
       export class User extends Entity.table("users", { id: integer().primaryKey() }) {}`,
    );
    const said = await deno(...check, inferred);
    match(said, /isolatedDeclarations/);
    strictEqual(complaintsAbout("inferred", said) > 0, true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("entities whose shape is written down work as those that are inferred", async () => {
  await using db = await memory(metadata);
  await using session = db.session();
  session.add(
    new Author({ name: "ann", books: [new Book({ title: "one" })] }),
  );
  const shelf = new Shelf("cellar");
  shelf.boxes.add(new Box("rope"));
  session.add(shelf);
  await session.commit();

  await using reader = db.session();
  const [author] = await reader.scalars(
    select(Author).where(Author.c.name.eq("ann")).options(
      selectinload(Author.r.books),
    ),
  );
  strictEqual(author!.title, "ANN");
  deepStrictEqual([...author!.books].map((book) => book.title), ["one"]);
  const [found] = await reader.scalars(select(mappedShelf));
  strictEqual(found instanceof Shelf, true);
  strictEqual((await found!.boxes.load()).at(0)?.label, "rope");
});
