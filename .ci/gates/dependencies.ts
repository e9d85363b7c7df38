/** Dependencies point one way, through faces, and never in a circle. */
import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { complaints, type Gate } from "./gate.ts";
import type { Package } from "./package.ts";

/** Which rooms a room may import, by the first folder of its path. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  cache: [],
  sql: [],
  orm: ["sql"],
  migrate: ["sql"],
  hono: ["cache", "orm"],
  backends: ["cache", "sql"],
  tests: ["cache", "sql", "orm", "migrate", "backends", "hono"],
};

/** Files that may import one room more than the rest of theirs. */
const WIDER: readonly { readonly file: RegExp; readonly rooms: string[] }[] = [
  { file: /^orm\/caching(\/|_|\.ts$)/, rooms: ["cache"] },
  // The command line opens the databases that its flags name.
  { file: /^migrate\/cli\//, rooms: ["backends"] },
];

/** One import of a library file. */
export interface Edge {
  readonly from: string;
  /** Relative to the root; `null` if it leaves the package. */
  readonly to: string | null;
  readonly line: number;
  /** Runs when the importing file is loaded: neither a type nor `import()`. */
  readonly atLoad: boolean;
}

/** DESIGN's arrows: `backends → cache, sql`, `orm → sql`, `migrate → sql`. */
export const dependencies: Gate = {
  name: "dependencies",
  claim: "rooms import one way, through mod.ts, without value cycles",
  async run(pkg) {
    const edges = await importsOf(pkg);
    return complaints(
      [...unknownRooms(pkg), ...edges.flatMap(judge), ...cycles(edges)],
      `${pkg.files.length} files`,
    );
  },
};

/** A room without a rule would be a room without walls. */
function unknownRooms({ rooms }: Package): string[] {
  return rooms
    .filter((room) => !room.endsWith(".ts"))
    .filter((room) => roomOf(`${room}/mod.ts`) === null)
    .map((room) => `${room}/: no rule says what this room may import`);
}

function judge({ from, to, line }: Edge): string[] {
  if (to === null) return [];
  const own = roomOf(from);
  const other = roomOf(to);
  if (own === other) return [];

  const where = `${from}:${line} imports ${to}: `;
  const allowed = [
    ...ROOMS[own ?? ""] ?? [],
    ...WIDER.filter(({ file }) => file.test(from)).flatMap(({ rooms }) =>
      rooms
    ),
  ];
  if (other === null || !allowed.includes(other)) {
    return [
      `${where}${own ?? "the face"} may import ${
        allowed.join(", ") || "no other room"
      }`,
    ];
  }
  // Each backend is a face of its own; every other room has one.
  if (other !== "backends" && to !== `${other}/mod.ts`) {
    return [`${where}a room is entered through its mod.ts`];
  }
  return [];
}

function roomOf(path: string): string | null {
  const [first, ...rest] = path.split("/");
  return rest.length && first! in ROOMS ? first! : null;
}

/** Every import statement of the library files, as Deno's parser reads them. */
export async function importsOf(pkg: Package): Promise<Edge[]> {
  const folder = await Deno.makeTempDir({ prefix: "aludel_graph_" });
  try {
    const all = join(folder, "all.ts");
    await Deno.writeTextFile(
      all,
      pkg.files.map((file) =>
        `import ${JSON.stringify(pathToFileURL(join(pkg.root, file)).href)};`
      ).join("\n"),
    );
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [
          "info",
          "--json",
          "--no-lock",
          `--config=${join(pkg.root, "deno.json")}`,
          all,
        ],
        cwd: pkg.root,
        env: { NO_COLOR: "1" },
        stdin: "null",
      },
    ).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return edgesOf(pkg, JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The part of `deno info --json` that is read here. */
interface Graph {
  modules: {
    local?: string;
    dependencies?: {
      code?: Resolved;
      type?: Resolved;
      isDynamic?: boolean;
    }[];
  }[];
}

interface Resolved {
  specifier?: string;
  span?: { start: { line: number } };
}

function edgesOf(pkg: Package, { modules }: Graph): Edge[] {
  const known = new Set(pkg.files);
  const edges: Edge[] = [];
  for (const { local, dependencies = [] } of modules) {
    if (!local) continue;
    const from = within(pkg, local);
    if (!known.has(from)) continue;
    for (const { code, type, isDynamic = false } of dependencies) {
      const target = code ?? type;
      edges.push({
        from,
        to: target?.specifier?.startsWith("file:")
          ? within(pkg, fileURLToPath(target.specifier))
          : null,
        line: (target?.span?.start.line ?? 0) + 1,
        atLoad: code !== undefined && !isDynamic,
      });
    }
  }
  return edges;
}

function within(pkg: Package, path: string): string {
  return relative(Deno.realPathSync(pkg.root), path).split(sep).join("/");
}

/** Names each file that reaches itself through value imports, once. */
function cycles(edges: readonly Edge[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, atLoad } of edges) {
    if (to && atLoad) next.set(from, [...next.get(from) ?? [], to]);
  }
  const found: string[] = [];
  const finished = new Set<string>();
  const path: string[] = [];

  const visit = (file: string) => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      found.push(`import cycle: ${[...path.slice(seenAt), file].join(" → ")}`);
      return;
    }
    if (finished.has(file)) return;
    path.push(file);
    for (const other of next.get(file) ?? []) visit(other);
    path.pop();
    finished.add(file);
  };
  for (const file of next.keys()) visit(file);
  return found;
}
