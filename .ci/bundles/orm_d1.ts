/** Declarative classes, a Session and D1: what a Worker with the ORM carries. */
import { d1, type D1Like } from "@aludel/aludel/backends/d1";
import {
  Entity,
  integer,
  manyToOne,
  oneToMany,
  Session,
  text,
} from "@aludel/aludel/orm";
import { createEngine, select } from "@aludel/aludel/sql";

class User extends Entity.table("users", {
  id: integer().primaryKey(),
  name: text(),
  addresses: () => oneToMany(Address, { backPopulates: "user" }),
}) {}
class Address extends Entity.table("addresses", {
  id: integer().primaryKey(),
  email: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}

export default {
  async fetch(_request: Request, env: { DB: D1Like }): Promise<Response> {
    await using session = new Session({ bind: createEngine(d1(env.DB)) });
    session.add(
      new User({
        name: "ed",
        addresses: [new Address({ email: "ed@example.com" })],
      }),
    );
    await session.commit();
    const users = await session.scalars(
      select(User).where(User.c.name.like("e%")).orderBy(User.c.id),
    );
    return Response.json(users);
  },
};
