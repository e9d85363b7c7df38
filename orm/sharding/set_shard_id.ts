import type { SelectOption, Statement } from "../../sql/mod.ts";
import { withOptions } from "../loading/criteria.ts";
import type { SameRow } from "../session_options.ts";
import type { InstanceState } from "../state.ts";

/** An option of a statement: it goes to one shard. */
export interface ShardOption extends SelectOption<SameRow> {
  /** @ignore */
  readonly kind: "shard";
  /** @ignore */
  readonly shard: string;
}

/**
 * Sends a statement of a sharded session to one shard, whatever its
 * `executeChooser` says. What its objects load later comes from there as well.
 *
 * An UPDATE, DELETE or INSERT takes it by `withOptions()`.
 *
 * @example
 * ```ts ignore
 * const users = await session.scalars(select(User).options(setShardId("europe")));
 * ```
 *
 * @param shard The name of the shard.
 */
export function setShardId(shard: string): ShardOption {
  return { kind: "shard", shard };
}

/** A statement about rows that belong to an object: they are in its shard. */
export function inShardOf<S extends Statement<unknown>>(
  { identityToken }: InstanceState,
  statement: S,
): S {
  return identityToken === undefined
    ? statement
    : withOptions(statement, setShardId(identityToken));
}

/** The shard that a statement's options name; of several, the last one's. */
export function shardOf(
  { optionList }: Statement<unknown>,
): string | undefined {
  return optionList.findLast(isShardOption)?.shard;
}

function isShardOption(option: unknown): option is ShardOption {
  return (option as { kind?: unknown }).kind === "shard";
}
