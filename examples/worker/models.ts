/** Guests and what they write. */
import {
  Entity,
  integer,
  manyToOne,
  oneToMany,
  text,
} from "@aludel/aludel/orm";
import { MetaData } from "@aludel/aludel/sql";

/** The tables of the guest book. */
export const metadata: MetaData = new MetaData();

abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
  static override metadata = metadata;
}

export class Guest extends Base.table("guests", {
  name: text(50).unique(),
  entries: () => oneToMany(Entry, { backPopulates: "guest" }),
}) {}

export class Entry extends Base.table("entries", {
  text: text(500),
  guestId: integer().references("guests.id"),
  guest: () => manyToOne(Guest, { backPopulates: "entries" }),
}) {}
