import type { RevisionNode } from "../graph/node.ts";

/**
 * Writes revisions as a Mermaid flow chart, oldest at the top. Dependencies
 * are dotted.
 */
export function mermaidOf(nodes: Iterable<RevisionNode>): string {
  const listed = [...nodes];
  const lines = ["flowchart TD"];
  for (const node of listed) {
    const { message } = node.declaration;
    const text = message === undefined
      ? node.revision
      : `${node.revision}<br/>${escaped(message)}`;
    lines.push(`  r${node.revision}["${text}"]`);
  }
  for (const node of listed) {
    for (const parent of node.downRevisions) {
      lines.push(`  r${parent.revision} --> r${node.revision}`);
    }
    for (const dependency of node.dependencies) {
      lines.push(`  r${dependency.revision} -.-> r${node.revision}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
