import { DatabaseSync } from "node:sqlite";
import type { Kind } from "./world.ts";

/** A logical object: what it is, and whom it names, by uid. */
export interface Logical {
  readonly kind: Kind;
  readonly label: string;
  /** Manager, author or editor. */
  readonly owner: string | null;
  readonly tags: readonly string[];
}

/**
 * What a session should do, told as simply as can be: objects by uid, and a
 * commit that goes through them one by one, a statement for each difference.
 */
export class Naive {
  now: Map<string, Logical> = new Map();
  readonly doomed: Set<string> = new Set();
  #then: Map<string, Logical> = new Map();
  readonly #savepoints: Map<string, Logical>[] = [];
  readonly #db = new DatabaseSync(":memory:");

  constructor() {
    this.#db.exec(`
      PRAGMA foreign_keys = off;
      CREATE TABLE things (uid TEXT PRIMARY KEY, kind TEXT, label TEXT, owner TEXT);
      CREATE TABLE tags (book TEXT, tag TEXT, PRIMARY KEY (book, tag));`);
  }

  change(uid: string, patch: Partial<Logical>): void {
    this.now.set(uid, { ...this.now.get(uid)!, ...patch });
  }

  /** Objects of a kind that stay, as far as one knows before a commit. */
  of(kind: Kind): string[] {
    return [...this.now].filter(([uid, one]) =>
      one.kind === kind && !this.doomed.has(uid) &&
      !(this.#goesWithOwner(one) && this.doomed.has(`${one.owner}`))
    ).map(([uid]) => uid);
  }

  #goesWithOwner({ kind }: Logical): boolean {
    return kind === "Book" || kind === "Profile";
  }

  /** Objects that are to go are gone, with what goes with them. */
  flush(): void {
    // What has an owner by name only goes with it, or loses it.
    for (const uid of this.doomed) {
      for (const [other, one] of this.now) {
        if (one.owner !== uid) continue;
        if (this.#goesWithOwner(one)) this.doomed.add(other);
        else this.change(other, { owner: null });
      }
    }
    for (const uid of this.doomed) this.now.delete(uid);
    this.doomed.clear();
    for (const [uid, one] of this.now) {
      this.change(uid, { tags: one.tags.filter((tag) => this.now.has(tag)) });
    }
  }

  /** Sets a savepoint. */
  begin(): void {
    this.flush();
    this.#savepoints.push(new Map(this.now));
  }

  /** Ends the last savepoint. */
  end(isKept: boolean): void {
    if (isKept) this.flush();
    const before = this.#savepoints.pop();
    if (isKept || !before) return;
    this.now = before;
    this.doomed.clear();
  }

  commit(): void {
    this.flush();
    this.#savepoints.length = 0;
    for (const [uid, one] of this.now) {
      this.#db.prepare("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?)")
        .run(uid, one.kind, one.label, one.owner);
      this.#db.prepare("DELETE FROM tags WHERE book = ?").run(uid);
      for (const tag of one.tags) {
        this.#db.prepare("INSERT INTO tags VALUES (?, ?)").run(uid, tag);
      }
    }
    for (const uid of this.#then.keys()) {
      if (this.now.has(uid)) continue;
      this.#db.prepare("DELETE FROM things WHERE uid = ?").run(uid);
      this.#db.prepare("DELETE FROM tags WHERE book = ?").run(uid);
    }
    this.#then = new Map(this.now);
  }

  rollback(): void {
    this.#savepoints.length = 0;
    this.now = new Map(this.#then);
    this.doomed.clear();
  }

  rows(): unknown {
    return {
      things: this.#db.prepare(
        "SELECT uid, kind, label, owner FROM things ORDER BY uid",
      ).all().map((row) => ({ ...row })),
      tags: this.#db.prepare(
        "SELECT book, tag FROM tags ORDER BY book, tag",
      ).all().map((row) => ({ ...row })),
    };
  }

  close(): void {
    this.#db.close();
  }
}
