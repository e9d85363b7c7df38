import { strictEqual } from "node:assert/strict";
import { join } from "node:path";
import { costOfAnEntity } from "../../bench/orm/check_time.ts";

const root = join(import.meta.dirname!, "..", "..");

/** How the compiler writes the types of some expressions. */
async function written(
  program: string,
  expressions: readonly string[],
): Promise<string[]> {
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "program.ts");
    // Nothing is assignable to a literal, and the complaint names the type.
    const complaints = expressions.map((one, i) =>
      `const _${i}: "no" = ${one};`
    );
    await Deno.writeTextFile(file, [program, ...complaints].join("\n"));
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--no-lock",
        "--config",
        join(root, "deno.json"),
        file,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(stderr);
    return [...said.matchAll(/Type '(.*)' is not assignable to type '"no"'/g)]
      .map((match) => match[1]!);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("the types that orm/mod.ts shows are those that a reader sees", async () => {
  const docs = await Deno.readTextFile(join(root, "orm", "mod.ts"));
  const seen = await written(
    `
import { Entity, integer, manyToOne, oneToMany, selectinload, Session, text } from "${root}/orm/mod.ts";
import { select } from "${root}/sql/mod.ts";
class User extends Entity.table("users", {
  id: integer().primaryKey(),
  name: text(50),
  addresses: () => oneToMany(Address, { backPopulates: "user" }),
}) {}
class Address extends Entity.table("addresses", {
  id: integer().primaryKey(),
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}
const user = new User({ name: "ed" });
const [row] = await new Session().scalars(
  select(User).options(selectinload(User.r.addresses, selectinload(Address.r.user))),
);
`,
    ["user.addresses", "row!"],
  );
  strictEqual(seen.length, 2);
  for (const [i, name] of ["user.addresses", "row"].entries()) {
    const shown = docs.split("\n").find((line) =>
      line.startsWith(` * ${name} `)
    );
    strictEqual(shown?.slice(3 + name.length).trim(), seen[i]);
  }
});

Deno.test("an entity of a hundred costs the type checker less than twice one of ten", async () => {
  const { ratio, small } = await costOfAnEntity(3);
  strictEqual(small > 0, true);
  strictEqual(ratio < 2, true, `it costs ${ratio.toFixed(2)} times as much`);
});
