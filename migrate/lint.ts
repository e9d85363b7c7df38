import { Expression } from "../sql/mod.ts";
import type { AppliedRevisions } from "./graph/heads.ts";
import type { RevisionNode } from "./graph/node.ts";
import type { Migrator } from "./migrator.ts";
import type { Operation, TableChange } from "./operations/operation.ts";
import type { Revision } from "./revision.ts";

/** What a lint rule looks for. */
export type LintCode =
  | "drop-table"
  | "drop-column"
  | "not-null"
  | "type-change"
  | "unique-on-rows"
  | "suspected-rename"
  | "pragma"
  | "irreversible"
  | "multiple-heads";

/** Something a revision does that deserves a second look. */
export interface LintFinding {
  /** The rule. `allow: ["drop-table"]` in the revision says it is meant. */
  readonly code: LintCode;
  /** The revision; `null` for the graph as a whole. */
  readonly revision: string | null;
  /** The number of the operation in the revision, from 1. */
  readonly operation: number | null;
  /** What and where. */
  readonly message: string;
}

/**
 * Looks for what loses rows, fails on rows, or cannot be undone.
 *
 * @param options.revisions Which to look at. @default all
 */
export function lint(
  migrator: Migrator,
  options: { readonly revisions?: readonly string[] } = {},
): LintFinding[] {
  const { map, planner } = migrator;
  const findings: LintFinding[] = [];
  if (map.realHeads.length > 1) {
    findings.push({
      code: "multiple-heads",
      revision: null,
      operation: null,
      message: `There are several heads (${
        map.realHeads.map((node) => node.revision).join(", ")
      }); merge them`,
    });
  }
  const wanted = options.revisions && new Set(options.revisions);
  for (const node of map.nodes) {
    if (wanted && !wanted.has(node.revision)) continue;
    const operations = planner.operations(node);
    const allowed = new Set<string>(node.declaration.allow ?? []);
    const found = [
      ...operations.flatMap((operation, at) =>
        judge(operation).map(([code, message]) =>
          finding(node, at + 1, code, message)
        )
      ),
      ...irreversible(node, planner.applied([node.revision]), migrator),
    ];
    findings.push(...found.filter(({ code }) => !allowed.has(code)));
  }
  return findings;
}

/** A rule and what it says. */
export type Judgement = readonly [LintCode, string];

function finding(
  { revision }: RevisionNode<Revision>,
  operation: number | null,
  code: LintCode,
  message: string,
): LintFinding {
  return { code, revision, operation, message };
}

function irreversible(
  node: RevisionNode<Revision>,
  applied: AppliedRevisions<Revision>,
  { planner }: Migrator,
): LintFinding[] {
  try {
    planner.undoing(node, applied);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [finding(node, null, "irreversible", message)];
  }
}

/** What deserves a second look in an operation. */
export function judge(operation: Operation): Judgement[] {
  switch (operation.kind) {
    case "dropTable":
      return [["drop-table", `Table '${operation.table}' goes with its rows`]];
    case "alterTable":
      return [
        ...operation.changes.flatMap((change) =>
          judgeChange(operation.table, change)
        ),
        ...renames(operation.table, operation.changes),
      ];
    case "execute":
      return typeof operation.statement === "string" &&
          /^\s*pragma\b/i.test(operation.statement)
        ? [["pragma", "A pragma in a step changes how its guards work"]]
        : [];
    case "autocommitBlock":
      return operation.operations.flatMap(judge);
    default:
      return [];
  }
}

/** What deserves a second look in one change of a table. */
export function judgeChange(table: string, change: TableChange): Judgement[] {
  const at = "name" in change ? `'${table}.${change.name}'` : `'${table}'`;
  switch (change.kind) {
    case "dropColumn":
      return [["drop-column", `Column ${at} goes with its values`]];
    case "addColumn": {
      const { nullable, serverDefault, computed } = change.column.spec;
      const isConstant = serverDefault !== undefined &&
        !(serverDefault instanceof Expression);
      return nullable || isConstant || computed ? [] : [[
        "not-null",
        `Column ${at} is NOT NULL and has no constant serverDefault: it fails on a table with rows`,
      ]];
    }
    case "alterColumn":
      return [
        ...(change.changes.nullable === false
          ? [
            [
              "not-null",
              `Column ${at} becomes NOT NULL: it fails where a row has none`,
            ] as const,
          ]
          : []),
        ...(change.changes.type
          ? [
            [
              "type-change",
              `Column ${at} changes its type: old values must fit`,
            ] as const,
          ]
          : []),
      ];
    case "createIndex":
      return change.index.unique
        ? [[
          "unique-on-rows",
          `A unique index on '${table}' fails where rows are equal`,
        ]]
        : [];
    case "addConstraint":
      return change.constraint.kind === "unique"
        ? [[
          "unique-on-rows",
          `A unique constraint on '${table}' fails where rows are equal`,
        ]]
        : [];
    default:
      return [];
  }
}

/** A column that goes while one of its type comes is often one that was renamed. */
function renames(table: string, changes: readonly TableChange[]): Judgement[] {
  const added = changes.filter((change) => change.kind === "addColumn");
  return changes.filter((change) => change.kind === "dropColumn").flatMap(
    ({ name, original }) =>
      added.filter(({ column }) =>
        !original || original.spec.type.name === column.spec.type.name
      ).map((other): Judgement => [
        "suspected-rename",
        `Column '${table}.${name}' goes and '${other.name}' comes: say renameColumn('${name}', '${other.name}') if it is the same`,
      ]),
  );
}
