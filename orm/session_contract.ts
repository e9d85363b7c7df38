/**
 * What a session is told, and what it tells those who stand between: its
 * settings, the contexts of routing and execution, savepoints. Types only.
 */
import type { Engine, Result, Statement } from "../sql/mod.ts";
import type { Mapper } from "./mapper.ts";
import type { Relation } from "./relation.ts";
import type { Session } from "./session.ts";

/** What is asked of `getBind`: which engine a statement goes to. */
export interface BindContext {
  /** The class that the statement is about, if any. */
  readonly mapper?: Mapper | undefined;
  /** The statement, where it is a query or a write of the program's own. */
  readonly statement?: Statement<unknown> | undefined;
  /** Of several databases that hold rows of one key, the one that is meant. */
  readonly identityToken?: string | undefined;
  /** Whether the unit of work writes. */
  readonly flushing: boolean;
}

/**
 * A statement on its way: looked at, changed, sent elsewhere, or answered
 * from a cache. What the hook gives back are the statement's rows.
 */
export interface ExecuteContext {
  /** The session. */
  readonly session: Session;
  /** The statement; its `kind` is `"select"`, `"update"` and so on. */
  readonly statement: Statement<unknown>;
  /** Whether a relation is loaded later. Eager loads belong to their query. */
  readonly isRelationshipLoad: boolean;
  /** The class that the statement is about, if any. */
  readonly mapper: Mapper | undefined;
  /** Sends the statement, or another one in its place. */
  invoke(statement?: Statement<unknown>): Promise<Result<unknown>>;
}

/** Settings of a session. */
export interface SessionOptions {
  /** The engine of everything that `binds` does not name. */
  readonly bind?: Engine;
  /** The engines of classes and tables: `bindsOf(new Map([[User, users]]))`. */
  readonly binds?: (context: BindContext) => Engine | undefined;
  /** Whether objects are loaded anew after a commit. @default {false} */
  readonly expireOnCommit?: boolean;
  /** Whether queries write pending changes first, where a transaction can be held. @default {true} */
  readonly autoflush?: boolean;
  /** Whether `close()` leaves it usable. @default {true} */
  readonly closeResetsOnly?: boolean;
  /** Stands between `execute()` and the database; see {@linkcode ExecuteContext}. */
  readonly onExecute?: (
    context: ExecuteContext,
  ) => Promise<readonly unknown[]>;
  /** Is told of every trip that lazy loads of a relation make; see `detectNPlusOne()`. */
  readonly onLazyLoad?: (relation: Relation, owners: number) => void;
  /** Is told of what is odd, but no error. */
  readonly warn?: (message: string) => void;
  /** Names engines for {@linkcode Session.usingBind}. */
  readonly engines?: { get(name: string): Engine };
}

export type { NestedTransaction } from "../sql/mod.ts";
