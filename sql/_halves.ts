import { FromClause } from "./from.ts";
import { Node } from "./node.ts";
import { copyOf } from "./statement.ts";

/** Two statements that do, one after the other, what a statement does; none where there are none. */
export function halves(statement: Node): Node[] {
  return isDependent(statement) ? [] : partsOf(statement);
}

/** What sees more rows than the one it is about, or may, by its kind. */
const DEPENDENT = /^(select|text|alias|\w+Key)/;

function isDependent(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(isDependent);
  return part instanceof Node &&
    !(part instanceof FromClause && part.isNamed) &&
    (DEPENDENT.test(part.kind) || part.structure().some(isDependent));
}

/** Where each kind of node holds what can be done a part at a time. */
const LISTS: Readonly<Record<string, string>> = {
  insert: "rows",
  delete: "condition",
  operation: "terms",
  in: "right",
  bind: "value",
};

/** What keeps a node from being divided as its list is. */
interface Parts extends Node {
  readonly negated?: boolean;
  readonly operator?: string;
}

function partsOf(node: Node): Node[] {
  const key = LISTS[node.kind] ?? "";
  const part: unknown = Reflect.get(node, key);
  const { negated, operator = "OR" }: Parts = node;
  const parts: unknown[] = negated
    ? []
    : part instanceof Node
    ? partsOf(part)
    : !Array.isArray(part) || part.length < 2
    ? []
    : operator === "AND"
    ? part.map((term, i) => partsOf(term).map((one) => part.with(i, one)))
      .find((some) => some.length > 0) ?? []
    : operator === "OR"
    ? [part.slice(0, part.length >> 1), part.slice(part.length >> 1)]
    : [];
  return parts.map((half) => copyOf<Node>(node, { [key]: half }));
}
