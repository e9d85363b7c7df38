/** The package under test: its configuration, its entries, its library files. */
import { join, relative, sep } from "node:path";

/** One line of the `exports` map. */
export interface Entry {
  /** As importers write it, e.g. `./backends/kv`. */
  readonly name: string;
  /** The file behind it, relative to the root, e.g. `backends/kv.ts`. */
  readonly file: string;
}

/** A package directory, read once and shared by all gates. */
export interface Package {
  readonly root: string;
  readonly name: string;
  /** Entries whose file is there; a missing file is the `names` gate's matter. */
  readonly entries: readonly Entry[];
  readonly missing: readonly Entry[];
  /** Every TypeScript file that belongs to the library, relative to the root. */
  readonly files: readonly string[];
  /** The folders and files that hold the library, relative to the root. */
  readonly rooms: readonly string[];
}

/** Reads the package that `root/deno.json` describes. */
export async function readPackage(root: string): Promise<Package> {
  const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const all = Object.entries<string>(config.exports ?? {}).map((
    [name, file],
  ) => ({ name, file: file.replace(/^\.\//, "") }));

  const entries: Entry[] = [];
  const missing: Entry[] = [];
  for (const entry of all) {
    (await isFile(join(root, entry.file)) ? entries : missing).push(entry);
  }

  // A room is the first folder of an entry's path, and `tests` is none: of it
  // only the folder that is published counts.
  const rooms = [
    ...new Set(all.map(({ file }) => {
      const parts = file.split("/");
      if (parts.length === 1) return file;
      return parts[0] === "tests" ? parts.slice(0, 2).join("/") : parts[0]!;
    })),
  ].sort();

  const files: string[] = [];
  for (const room of rooms) await collect(root, join(root, room), files);
  return {
    root,
    name: config.name,
    entries,
    missing,
    files: files.sort(),
    rooms: rooms.filter((room) =>
      files.some((file) => file === room || file.startsWith(`${room}/`))
    ),
  };
}

async function collect(root: string, path: string, into: string[]) {
  const info = await Deno.stat(path).catch(() => null);
  if (info?.isFile && path.endsWith(".ts")) {
    into.push(relative(root, path).split(sep).join("/"));
  }
  if (!info?.isDirectory) return;
  for await (const child of Deno.readDir(path)) {
    await collect(root, join(path, child.name), into);
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => null))?.isFile ?? false;
}
