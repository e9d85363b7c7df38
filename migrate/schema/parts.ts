import { type Constraint, Expression } from "../../sql/mod.ts";

/** The columns a constraint or index is about or keeps, by name. */
export function columnsOf(constraint: Constraint): string[] {
  if (constraint.kind === "check") return [];
  const kept = "include" in constraint ? constraint.include ?? [] : [];
  return [...constraint.columns, ...kept].filter((part) =>
    typeof part === "string"
  );
}

/** A constraint with other names for its columns, and other expressions. */
export function withParts(
  constraint: Constraint,
  rename: (column: string) => string,
  rewrite: (sql: Expression<unknown>) => Expression<unknown> = (sql) => sql,
): Constraint {
  const include = "include" in constraint && constraint.include
    ? { include: constraint.include.map(rename) }
    : {};
  switch (constraint.kind) {
    case "check":
      return { ...constraint, sql: rewrite(constraint.sql) };
    case "index":
    case "exclude":
      return {
        ...constraint,
        columns: constraint.columns.map((part) =>
          part instanceof Expression ? rewrite(part) : rename(part)
        ),
        ...include,
        ...(constraint.where ? { where: rewrite(constraint.where) } : {}),
      };
    default:
      return {
        ...constraint,
        columns: constraint.columns.map(rename),
        ...include,
      };
  }
}
