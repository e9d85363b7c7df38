import {
  autogenerate,
  type AutogenerateOptions,
} from "../autogenerate/autogenerate.ts";
import type { Comparison } from "../autogenerate/compare.ts";
import type { MetaDataSource } from "../autogenerate/options.ts";
import { renderOperations } from "../autogenerate/render.ts";
import type { RevisionDraft } from "../autogenerate/settings.ts";
import { Imports, indented, quoted } from "../autogenerate/source.ts";
import type { MigrationsConfig } from "../define.ts";
import { IrreversibleError } from "../operations/errors.ts";
import { MigrateError } from "../errors.ts";
import { ids } from "../graph/identifiers.ts";
import type { Migrator } from "../migrator.ts";
import type { Operation } from "../operations/operation.ts";
import { reverseOperations } from "../operations/reverse.ts";
import type { SchemaSnapshot } from "../schema/snapshot.ts";
import { type Dialect, MetaData } from "../../sql/mod.ts";
import type { RevisionContent } from "./revision_file.ts";

/** What the next revision must do to one engine. */
export interface Proposal extends Comparison {
  /** The engine. */
  readonly name: string;
  /** Its language. */
  readonly dialect: Dialect;
  /** The schema as the revisions describe it. */
  readonly known: SchemaSnapshot;
}

/**
 * Compares one engine with its metadata.
 *
 * @throws {MigrateError} If `env.ts` gives it none.
 */
export async function proposalFor(
  migrator: Migrator,
  config: MigrationsConfig,
  options: Pick<AutogenerateOptions, "against" | "decideRename">,
): Promise<Proposal> {
  const { engine, planner, map } = migrator;
  const { rewrite, renderItem: _, ...settings } = config.autogenerate ?? {};
  const { operations, remarks } = await autogenerate(
    migrator,
    metadataOf(config, engine.name),
    { ...settings, ...options },
  );
  return {
    name: engine.name,
    dialect: engine.dialect,
    known: planner.schema(ids(map.realHeads)),
    operations: rewrite?.(operations) ?? operations,
    remarks,
  };
}

/**
 * The metadata that an engine is compared with.
 *
 * @throws {MigrateError} If there are none.
 */
function metadataOf(
  { metadata }: MigrationsConfig,
  engine: string,
): MetaDataSource {
  const found = isSource(metadata) ? metadata : metadata?.[engine];
  if (found) return found;
  throw new MigrateError(
    "no-metadata",
    `Cannot compare engine '${engine}' with a model: env.ts gives no metadata for it; give metadata: … to defineMigrations()`,
  );
}

function isSource(
  metadata: MigrationsConfig["metadata"],
): metadata is MetaDataSource {
  return metadata instanceof MetaData || Array.isArray(metadata);
}

/** What a revision file says about what it does. */
export function contentOf(
  { operations }: RevisionDraft,
  proposals: readonly Proposal[],
  renderItem?: NonNullable<MigrationsConfig["autogenerate"]>["renderItem"],
): RevisionContent {
  const imports = new Imports();
  imports.use("revision", "@aludel/aludel/migrate");
  const bodies = proposals.map(({ name, dialect, known }) =>
    renderOperations(operations[name] ?? [], {
      dialect,
      known,
      imports,
      ...(renderItem ? { renderItem } : {}),
    }).body
  );
  const [first = ""] = bodies;
  const isOne = bodies.every((body) => body === first);
  const upgrade = isOne ? method(first === "" ? "_op" : "op", first) : method(
    "op, { engine }",
    proposals.map(({ name }, at) =>
      bodies[at] === ""
        ? ""
        : `if (engine === ${quoted(name)}) {\n${indented(bodies[at]!)}\n}`
    ).filter(Boolean).join("\n"),
  );
  const obstacles = proposals.flatMap((proposal) =>
    obstacleTo(operations[proposal.name] ?? [], proposal)
  );
  const downgrade = obstacles.length === 0
    ? 'downgrade: "reverse",'
    : `// There is no downgrade yet. ${[...new Set(obstacles)].join(" ")}`;
  return {
    imports: imports.toString(),
    body: `${indented(`${upgrade}\n${downgrade}`)}\n`,
  };
}

function method(parameters: string, body: string): string {
  return `upgrade(${parameters}) {\n${indented(body)}${body && "\n"}},`;
}

/** Why operations cannot be undone, if they cannot. */
function obstacleTo(
  operations: readonly Operation[],
  { known, dialect }: Proposal,
): string[] {
  try {
    reverseOperations(operations, known, dialect);
    return [];
  } catch (error) {
    if (error instanceof IrreversibleError) return [error.message];
    throw error;
  }
}
