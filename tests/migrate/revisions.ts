/** A small real set: users and posts, a branch for tags, and their merge. */
import { revision } from "../../migrate/mod.ts";
import { foreignKey, integer, text } from "../../sql/mod.ts";

export const users = revision({
  revision: "1e0c77aa90b1",
  message: "users",
  upgrade(op) {
    const table = op.createTable("users", {
      id: integer().primaryKey(),
      mail: text().nullable(),
    });
    op.bulkInsert(table, [{ id: 1, mail: "ed@example.com" }, {
      id: 2,
      mail: "al@example.com",
    }]);
  },
  downgrade: "reverse",
});

export const posts = revision({
  revision: "2b1d88bba1c2",
  downRevision: "1e0c77aa90b1",
  message: "posts",
  upgrade(op) {
    op.createTable("posts", {
      id: integer().primaryKey(),
      userId: integer().named("user_id"),
      body: text(),
    }, [foreignKey(["userId"], ["users.id"], { onDelete: "cascade" })]);
    op.createIndex("ix_posts_user_id", "posts", ["user_id"]);
  },
  downgrade: "reverse",
});

export const tags = revision({
  revision: "3c2e99ccb2d3",
  downRevision: "1e0c77aa90b1",
  branchLabels: "tags",
  message: "tags",
  upgrade(op) {
    op.createTable("tags", { id: integer().primaryKey(), name: text() });
    op.addColumn("users", "nick", text().nullable());
  },
  downgrade: "reverse",
});

export const merged = revision({
  revision: "4d3faaddc3e4",
  downRevision: ["2b1d88bba1c2", "3c2e99ccb2d3"],
  message: "merge posts and tags",
});

export const SET = [users, posts, tags, merged];
