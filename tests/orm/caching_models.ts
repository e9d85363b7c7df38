/** What the tests of cached queries keep and read. */
import {
  countEvents,
  createRegion,
  jsonCodec,
  type RegionOptions,
} from "../../cache/mod.ts";
import { memory } from "../../backends/memory.ts";
import {
  bigint,
  blob,
  boolean,
  Entity,
  integer,
  joined,
  json,
  manyToMany,
  manyToOne,
  numeric,
  oneToMany,
  polymorphicOn,
  real,
  text,
  timestamp,
  versionId,
} from "../../orm/mod.ts";
import { MetaData, table } from "../../sql/mod.ts";

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = new MetaData();
}
export const metadata: MetaData = Base.metadata as MetaData;

export class User extends Base.table("users", {
  name: text(50),
  version: versionId(),
  addresses: () =>
    oneToMany(Address, { backPopulates: "user", passiveDeletes: true }),
  tags: () => manyToMany(Tag, { secondary: userTags }),
}) {}

export class Address extends Base.table("addresses", {
  email: text(),
  userId: integer().references("users.id", { onDelete: "cascade" }),
  user: () => manyToOne(User, { backPopulates: "addresses" }),
}) {}

export class Tag extends Base.table("tags", { word: text() }) {}

export const userTags = table("user_tags", metadata, {
  userId: integer().primaryKey().references("users.id", {
    onDelete: "cascade",
  }),
  tagId: integer().primaryKey().references("tags.id"),
});

export class Employee extends Base.table("employees", {
  name: text(),
  type: polymorphicOn(text(), { identity: "employee" }),
}) {}

export class Manager extends joined(Employee, "managers", {
  level: integer(),
}, { identity: "manager" }) {}

export class Sample extends Base.table("samples", {
  truth: boolean(),
  large: bigint(),
  exact: numeric(30, 10),
  wide: real(),
  bytes: blob(),
  at: timestamp(),
  data: json<unknown>(),
  nothing: text().nullable(),
}) {}

/** A region in memory whose values go through a codec, as they do elsewhere, and its counts. */
export function countedRegion(options: RegionOptions = {}) {
  const counter = countEvents();
  const region = createRegion({
    name: "queries",
    codec: jsonCodec,
    trace: counter.trace,
    ...options,
  }).configure({ backend: memory() });
  return { region, counter };
}
