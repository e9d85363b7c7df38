/**
 * Three databases of the same tables, on D1 and on SQLite, and what each saw.
 */
import {
  Entity,
  integer,
  manyToMany,
  manyToOne,
  oneToMany,
  ShardedSession,
  type ShardedSessionOptions,
  text,
} from "../../orm/mod.ts";
import { type Engine, MetaData, table } from "../../sql/mod.ts";
import type { Workerd } from "../services/mod.ts";
import {
  created,
  d1Database,
  sqliteDatabase,
  type TestDatabase,
} from "./databases.ts";

const metadata = new MetaData();

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}

/** Who says in which shard it is. */
export class User extends Base.table("users", {
  name: text(50).unique(),
  region: text(),
  orders: () =>
    oneToMany(Order, {
      backPopulates: "user",
      cascade: "all, delete-orphan",
    }),
  tags: () => manyToMany(Tag, { secondary: userTags }),
}) {}

/** What is where its user is. */
export class Order extends Base.table("orders", {
  item: text(),
  userId: integer().references("users.id"),
  user: () => manyToOne(User, { backPopulates: "orders" }),
}) {}

/** What is where those are whom it is put on. */
export class Tag extends Base.table("tags", { label: text() }) {}

const userTags = table("user_tags", metadata, {
  userId: integer().primaryKey().references("users.id"),
  tagId: integer().primaryKey().references("tags.id"),
});

/** The shards, in the order in which they are given. */
export const SHARDS = ["eu", "us", "asia"] as const;
/** One of them. */
export type Shard = typeof SHARDS[number];

/** The databases behind them. */
export interface Shards extends AsyncDisposable {
  /** Their engines. */
  readonly engines: Readonly<Record<Shard, Engine>>;
  /** A session on them. */
  session(options?: Partial<ShardedSessionOptions>): ShardedSession;
  /** Trips since it was last asked, of shards that saw any. */
  trips(): Partial<Record<Shard, number>>;
  /** What was sent to a shard since then, by first words. */
  statements(shard: Shard): string[];
  /** The rows of a table in a shard. */
  rows(shard: Shard, table: string): Promise<readonly (readonly unknown[])[]>;
}

/** Where users say that they are; others are where these are. */
export function byRegion(object: object): string | undefined {
  return object instanceof User ? object.region : undefined;
}

/** Three databases with the tables of these classes, or of others. */
export async function shards(
  kind: "D1" | "SQLite",
  workerd: Workerd,
  tables: MetaData = metadata,
): Promise<Shards> {
  const open = async (shard: Shard): Promise<[Shard, TestDatabase]> => [
    shard,
    await created(
      kind === "D1" ? d1Database(workerd, shard) : sqliteDatabase(),
      tables,
    ),
  ];
  const databases = await Promise.all(SHARDS.map(open));
  const engines = Object.fromEntries(
    databases.map(([name, database]) => [name, database.other({ name })]),
  ) as Record<Shard, Engine>;
  return {
    engines,
    session: (options = {}) =>
      new ShardedSession({
        shards: engines,
        shardChooser: byRegion,
        ...options,
      }),
    trips() {
      const seen = databases.filter(([, { trips }]) => trips > 0)
        .map(([name, { trips }]) => [name, trips]);
      for (const [, database] of databases) database.reset();
      return Object.fromEntries(seen);
    },
    statements: (shard) =>
      databases.filter(([name]) => name === shard)
        .flatMap(([, { log }]) => log.flat())
        .map((sql) => sql.split(" ").slice(0, 3).join(" ")),
    async rows(shard, name) {
      const { rows } = await engines[shard].send({
        sql: `SELECT * FROM ${name} ORDER BY 1`,
        params: [],
      });
      databases.forEach(([one, database]) => one === shard && database.reset());
      return rows;
    },
    async [Symbol.asyncDispose]() {
      for (const [, database] of databases) {
        await database[Symbol.asyncDispose]();
      }
    },
  };
}
