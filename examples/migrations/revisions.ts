/** Two revisions, a branch beside them, and the merge of both. */
import { type Revision, revision } from "@aludel/aludel/migrate";
import { integer, text } from "@aludel/aludel/sql";

const users = revision({
  revision: "1e0c77aa90b1",
  message: "create users",
  upgrade(op) {
    op.createTable("users", {
      id: integer().primaryKey(),
      mail: text().nullable(),
    });
  },
  downgrade: "reverse",
});

const email = revision({
  revision: "9f3c1a2b7d40",
  downRevision: "1e0c77aa90b1",
  message: "rename mail to email",
  upgrade(op) {
    op.alterTable("users", (t) => t.renameColumn("mail", "email"));
    op.createIndex("ix_users_email", "users", ["email"], { unique: true });
  },
  downgrade: "reverse",
});

const posts = revision({
  revision: "c4d5e6f70a1b",
  downRevision: "1e0c77aa90b1",
  branchLabels: ["blog"],
  message: "create posts",
  upgrade(op) {
    op.createTable("posts", {
      id: integer().primaryKey(),
      userId: integer().references("users.id"),
      body: text(),
    });
  },
  downgrade: "reverse",
});

const merged = revision({
  revision: "d00d5e6f70a1",
  downRevision: ["9f3c1a2b7d40", "c4d5e6f70a1b"],
  message: "merge blog",
});

/** The set, in no order that matters: the graph says what comes first. */
export const revisions: readonly Revision[] = [merged, posts, email, users];
