/** The Core on D1 with two tables: what a Worker without the ORM carries. */
import { d1, type D1Like } from "@aludel/aludel/backends/d1";
import {
  createEngine,
  deleteFrom,
  insert,
  integer,
  MetaData,
  select,
  table,
  text,
  update,
} from "@aludel/aludel/sql";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text(),
});
const addresses = table("addresses", metadata, {
  id: integer().primaryKey(),
  email: text(),
  userId: integer().references("users.id"),
});

export default {
  async fetch(_request: Request, env: { DB: D1Like }): Promise<Response> {
    const engine = createEngine(d1(env.DB));
    await engine.batch([
      insert(users).values({ id: 1, name: "ed" }),
      insert(addresses).values({ id: 1, email: "ed@example.com", userId: 1 }),
      update(users).set({ name: "edward" }).where(users.c.id.eq(1)),
      deleteFrom(addresses).where(addresses.c.email.like("%@example.org")),
    ]);
    const result = await engine.execute(
      select({ name: users.c.name, email: addresses.c.email })
        .join(addresses, addresses.c.userId.eq(users.c.id))
        .where(users.c.name.like("e%")).orderBy(users.c.id).limit(10),
    );
    return Response.json(result);
  },
};
