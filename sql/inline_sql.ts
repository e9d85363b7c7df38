import { Compiler } from "./compiler.ts";
import type { Dialect } from "./dialect.ts";
import type { Bind } from "./expression.ts";
import type { Node } from "./node.ts";
import { toDriver } from "./types.ts";

/** Writes a node with its values in the text, for DDL and scripts. */
export function inlineSql(node: Node, dialect: Dialect): string {
  const compiler = new InlineCompiler(dialect);
  compiler.bare = true;
  compiler.visit(node);
  return compiler.finish().sql;
}

class InlineCompiler extends Compiler {
  override bind({ value, type }: Bind): void {
    const { dialect } = this;
    this.write(dialect.literal(toDriver(value, type, dialect)));
  }
}
