import { type Dialect, inlineSql, type Table } from "../../sql/mod.ts";
import type { TableChange } from "../operations/operation.ts";
import { arrange } from "./arrange.ts";
import {
  chooseComparators,
  type Comparator,
  type CompareContext,
  STOP,
  type TablePair,
} from "./comparator.ts";
import * as columns from "./compare/columns.ts";
import { comments } from "./compare/comments.ts";
import * as constraints from "./compare/constraints.ts";
import { defaults } from "./compare/defaults.ts";
import { indexes } from "./compare/indexes.ts";
import { types } from "./compare/types.ts";
import { referenceTo } from "../schema/snapshot.ts";
import { sideOf, type Writing } from "./described.ts";
import { comparisonDialect } from "./dialects.ts";
import { Filter } from "./filter.ts";
import type { CompareOptions } from "./options.ts";
import { normalSql } from "./sql_text.ts";

/** The comparators that there are without plugins. */
const BUILT_IN: readonly Comparator[] = [
  columns.columns,
  columns.nullability,
  columns.computed,
  columns.identity,
  columns.primaryKey,
  types,
  defaults,
  comments,
  constraints.uniques,
  indexes,
  constraints.foreignKeys,
  constraints.checks,
  constraints.excludes,
];

/** Compares tables one by one, with everything that the settings say. */
export class TableComparison {
  /** What the comparators work with. */
  readonly context: CompareContext;
  /** How what is wanted is described. */
  readonly writing: Writing;
  readonly #comparators: readonly Comparator[];
  readonly #remarks = new Set<string>();

  /** Keeps to one dialect and one set of settings. */
  constructor(dialect: Dialect, options: CompareOptions) {
    const comparison = comparisonDialect(dialect, options.comparisonDialect);
    this.writing = { naming: options.naming };
    this.#comparators = chooseComparators(
      [...BUILT_IN, ...options.plugins ?? []],
      options.comparators ?? ["*"],
      dialect,
    );
    this.context = {
      dialect,
      comparison,
      options,
      filter: new Filter(options),
      sql: (expression) =>
        normalSql(inlineSql(expression, dialect), comparison.rewritesSql),
      remark: (text) => this.#remarks.add(text),
    };
  }

  /** What was told so far, each once. */
  get remarks(): string[] {
    return [...this.#remarks];
  }

  /** The changes that lead from one description of a table to another. */
  changes(wanted: Table, actual: Table): TableChange[] {
    const pair: TablePair = {
      reference: referenceTo(actual),
      wanted: sideOf(wanted),
      actual: this.context.filter.prune(sideOf(actual)),
    };
    const found: TableChange[] = [];
    for (const comparator of this.#comparators) {
      const more = comparator.compare(pair, this.context);
      if (more === STOP) break;
      found.push(...more);
    }
    return arrange(found, pair, this.writing);
  }
}
