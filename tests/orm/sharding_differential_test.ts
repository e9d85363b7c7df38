import { deepStrictEqual, ok } from "node:assert/strict";
import { Session } from "../../orm/mod.ts";
import { workerdWith } from "./databases.ts";
import { Order, type Shard, SHARDS, shards, Tag, User } from "./shards.ts";

const workerd = await workerdWith(...SHARDS);
Deno.test.afterAll(() => workerd.dispose());

/** Numbers below a limit, the same for the same seed. */
function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

/** A session, and how it finds the user of a key in a shard. */
type Side = Readonly<
  Record<Shard, {
    readonly session: Session;
    find(id: number): Promise<User | null>;
  }>
>;

/** One change, done by either side to its own objects; which, the numbers say. */
async function change(
  side: Side,
  shard: Shard,
  [what, which, other, text]: readonly number[],
): Promise<void> {
  const { session, find } = side[shard];
  const user = await find(which!);
  const orders = await user?.orders.load();
  const tags = await user?.tags.load();
  const name = `${shard} ${text}`;
  if (!user || what === 0) {
    session.add(
      new User({
        ...{ name, region: shard },
        orders: [new Order({ item: name })],
      }),
    );
  } else if (what === 1) user.name = name;
  else if (what === 2) session.delete(user);
  else if (what === 3) user.orders.add(new Order({ item: name }));
  else if (what === 4) user.tags.add(new Tag({ label: name }));
  else if (what === 5) {
    // One that has no row yet would belong to nobody: nothing says where it goes.
    const saved = tags?.toArray().find(({ id }) => id !== undefined);
    if (saved) user.tags.remove(saved);
  } else if (what === 6 && orders?.length) user.orders.remove(orders.at(0)!);
  else if (what === 7 && orders?.length) {
    (await find(other!))?.orders.add(orders.at(0)!);
  }
}

Deno.test("orm 39, 216: one session on three shards writes what three sessions write, whatever is changed in the same keys", async () => {
  let written = 0;
  for (let seed = 1; seed <= 12; seed++) {
    await using one = await shards("SQLite", workerd);
    await using three = await shards("SQLite", workerd);
    // Else the one would write at other moments than the three.
    await using whole = one.session({ autoflush: false });
    const plain = SHARDS.map((shard) =>
      new Session({ bind: three.engines[shard], autoflush: false })
    );
    const sides: readonly Side[] = [
      Object.fromEntries(SHARDS.map((shard) => [shard, {
        session: whole,
        find: (id: number) => whole.get(User, id, { identityToken: shard }),
      }])) as unknown as Side,
      Object.fromEntries(SHARDS.map((shard, i) => [shard, {
        session: plain[i],
        find: (id: number) => plain[i]!.get(User, id),
      }])) as unknown as Side,
    ];
    const random = randomly(seed);
    for (let commits = 0; commits < 10; commits++) {
      for (let changes = 0; changes < 6; changes++) {
        const shard = SHARDS[random(SHARDS.length)]!;
        const how = [random(8), 1 + random(4), 1 + random(4), random(1e9)];
        for (const side of sides) await change(side, shard, how);
      }
      await whole.commit();
      for (const session of plain) await session.commit();
      for (const shard of SHARDS) {
        for (const table of ["users", "orders", "tags", "user_tags"]) {
          const rows = await one.rows(shard, table);
          deepStrictEqual(
            rows,
            await three.rows(shard, table),
            `seed ${seed}, commit ${commits}, ${table} of ${shard}`,
          );
          written += rows.length;
        }
      }
      if (random(3) === 0) {
        for (const session of [whole, ...plain]) session.expungeAll();
      }
    }
    for (const session of plain) await session.close();
  }
  ok(written > 3000, `${written} rows were compared`);
});
