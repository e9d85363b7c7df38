import {
  alias,
  avg,
  caseWhen,
  coalesce,
  column,
  count,
  cte,
  insert,
  integer,
  json,
  max,
  MetaData,
  onConflictDoNothing,
  type RowOfStatement,
  scalarSubquery,
  select,
  sql,
  subquery,
  table,
  text,
  timestamp,
  typeDecorator,
  union,
  update,
  type ValueOf,
} from "../../sql/mod.ts";

const metadata = new MetaData();
const users = table("users", metadata, {
  id: integer().primaryKey(),
  name: text(),
  nick: text().nullable(),
});
const orders = table("orders", metadata, {
  id: integer().primaryKey(),
  userId: integer(),
  at: timestamp(),
  doc: json<{ a: number }>(),
});

type User = { id: number; name: string; nick: string | null };
type Order = { id: number; userId: number; at: Date; doc: { a: number } };
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <Claim extends true>(..._: Claim[]) => {};
type Row<S> = RowOfStatement<S>;

Deno.test("rows are inferred: entities, values, tuples and records", () => {
  const one = select(users);
  is<Same<Row<typeof one>, User>>();
  const value = select(users.c.nick);
  is<Same<Row<typeof value>, string | null>>();
  const pair = select(users, orders.c.doc);
  is<Same<Row<typeof pair>, [User, { a: number }]>>();
  const record = select({ n: count(), mean: avg(orders.c.id), user: users });
  is<
    Same<Row<typeof record>, { n: number; mean: number | null; user: User }>
  >();
  const back = insert(users).values({ name: "x" }).returning(users.c.id);
  is<Same<Row<typeof back>, number>>();
  const kind = caseWhen(users.c.id.eq(1), "a").when(users.c.id.eq(2), 2);
  const kinds = select(
    kind,
    kind.else(true),
    scalarSubquery(select(orders.c.at)),
  );
  is<
    Same<
      Row<typeof kinds>,
      [string | number | null, string | number | boolean, Date | null]
    >
  >();
});

Deno.test("what an outer join may miss may be null, and nothing else", () => {
  const pair = select(users, orders).leftJoin(
    orders,
    orders.c.userId.eq(users.c.id),
  );
  is<Same<Row<typeof pair>, [User, Order | null]>>();
  const record = select({ name: users.c.name, at: orders.c.at, n: count() })
    .leftJoin(orders, orders.c.userId.eq(users.c.id));
  is<Same<Row<typeof record>, { name: string; at: Date | null; n: number }>>();
  const right = select(users, orders).joinAs(
    "RIGHT JOIN",
    orders,
    orders.c.userId.eq(users.c.id),
  );
  is<Same<Row<typeof right>, [User | null, Order]>>();
  const full = select(users, orders).joinAs(
    "FULL JOIN",
    orders,
    orders.c.userId.eq(users.c.id),
  );
  is<Same<Row<typeof full>, [User | null, Order | null]>>();
  const boss = alias(users, "boss");
  const bosses = select(users, boss.c.name).leftJoin(
    boss,
    boss.c.id.eq(users.c.id),
  );
  is<Same<Row<typeof bosses>, [User, string | null]>>();
  const inner = select(users, orders).join(
    orders,
    orders.c.userId.eq(users.c.id),
  );
  is<Same<Row<typeof inner>, [User, Order]>>();
});

Deno.test("columns of subqueries, CTEs and set operations are typed", () => {
  const busy = subquery(select({ user: orders.c.userId, n: count() }), "busy");
  const fromIt = select(busy.c.user, busy.c.n);
  is<Same<Row<typeof fromIt>, [number, number]>>();
  const named = cte(select({ at: orders.c.at }), "named");
  const rows = select(named);
  is<Same<Row<typeof rows>, { at: Date }>>();
  const both = union(select({ a: users.c.id }), select({ a: orders.c.id }));
  is<Same<Row<typeof both>, { a: number }>>();
  const typed = sql`SELECT 1`.columns({
    one: integer(),
    two: text().nullable(),
  });
  is<Same<Row<typeof typed>, { one: number; two: string | null }>>();
  // @ts-expect-error a subquery has only the columns that it selects
  busy.c.nope;
  const names = select({ a: users.c.name });
  // @ts-expect-error the queries of a union have rows of one type
  union(select({ a: users.c.id }), names);
});

Deno.test("wrong columns, types and calls do not compile", () => {
  const never = Math.random() > 2;
  // What may be NULL compares with what may not, both ways round.
  users.c.name.eq(users.c.nick);
  users.c.nick.eq(users.c.name);
  orders.c.id.gt(scalarSubquery(select(max(orders.c.id))));
  const name = coalesce(users.c.nick, users.c.nick, "nobody");
  is<Same<ValueOf<typeof name>, string>>();
  // @ts-expect-error there is no such column
  users.c.nope;
  // @ts-expect-error an id is a number
  users.c.id.eq("1");
  // @ts-expect-error a name is a text
  users.c.name.in([1]);
  // @ts-expect-error an instant is a Date
  orders.c.at.gt("2026-01-01");
  // @ts-expect-error a text column does not compare with a number column
  users.c.name.eq(users.c.id);
  if (never) {
    // @ts-expect-error a row needs its name
    insert(users).values({ id: 1 });
    // @ts-expect-error there is no such column to write
    insert(users).values({ name: "x", nope: 1 });
    // @ts-expect-error a name takes no number
    update(users).set({ name: 1 });
    // @ts-expect-error a name takes no expression of another type
    update(users).set({ name: users.c.id });
    // @ts-expect-error a conflict is about columns of the table
    onConflictDoNothing(insert(users).values({ name: "x" }), ["nope"]);
    // @ts-expect-error a limit is a number
    select(users).limit("1");
    // @ts-expect-error nothing but rows and expressions can be selected
    select(1);
  }
  const upper = typeDecorator(text(), {
    processBindParam: (value: URL) => value.href,
    processResultValue: (value) => new URL(value),
  });
  const links = table("links", new MetaData(), { url: column(upper) });
  const query = select(links.c.url);
  is<Same<Row<typeof query>, URL>>();
  // @ts-expect-error the column takes what its own type takes
  links.c.url.eq("https://example.com");
});
