/** Together with the real tools: Wrangler, Alembic, `deno task migrate`. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { sqlite } from "../../backends/sqlite.ts";
import {
  createMigrator,
  exportD1,
  readForeignHistory,
  revision,
} from "../../migrate/mod.ts";
import { createEngine, type Engine } from "../../sql/mod.ts";
import { startD1RestServer, startWorkerd } from "../services/mod.ts";
import { memoryEngine, rowsOf, startNeon } from "./databases.ts";
import { merged, SET, tags, users } from "./revisions.ts";

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

function temporary(): string {
  Deno.mkdirSync(`${ROOT}/.wrangler`, { recursive: true });
  return Deno.makeTempDirSync({ dir: `${ROOT}/.wrangler` });
}

async function run(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    // A task that runs the tests would hand its own INIT_CWD down.
    env: {
      NO_COLOR: "1",
      WRANGLER_SEND_METRICS: "false",
      INIT_CWD: cwd,
      ...env,
    },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

const migrate = (cwd: string, ...args: string[]) =>
  run(cwd, Deno.execPath(), ["task", "-q", "migrate", ...args]);

const WRANGLER = `{
  "name": "app",
  "compatibility_date": "2026-03-01",
  "d1_databases": [{
    "binding": "DB",
    "database_name": "app",
    "database_id": "11111111-2222-3333-4444-555555555555",
    "migrations_dir": "exported"
  }]
}`;

/** Schema, rows and versions, without when and by whom. */
async function contents(engine: Engine): Promise<unknown> {
  const rows = (sql: string) => rowsOf(engine, sql);
  return {
    schema: await rows(
      "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> 'd1_migrations' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    ),
    users: await rows("SELECT * FROM users ORDER BY id"),
    versions: await rows("SELECT version_num FROM aludel_version"),
    history: await rows(
      "SELECT seq, version, direction, state, checksum, statements FROM aludel_history ORDER BY seq",
    ),
  };
}

Deno.test("the real Wrangler applies an export, and the result is that of an upgrade", async () => {
  const directory = temporary();
  try {
    Deno.writeTextFileSync(`${directory}/wrangler.jsonc`, WRANGLER);
    Deno.mkdirSync(`${directory}/exported`);
    const ours = memoryEngine();
    const migrator = createMigrator({ revisions: SET, engine: ours });
    for (const { name, text } of await exportD1(migrator)) {
      Deno.writeTextFileSync(`${directory}/exported/${name}`, text);
    }
    await migrator.upgrade("heads");

    const applied = await run(directory, Deno.execPath(), [
      "run",
      "-A",
      "--config",
      `${ROOT}/deno.json`,
      "npm:wrangler@4.116.0",
      "d1",
      "migrations",
      "apply",
      "app",
      "--local",
    ]);
    equal(applied.code, 0, applied.out + applied.err);

    const state =
      `${directory}/.wrangler/state/v3/d1/miniflare-D1DatabaseObject`;
    const file = [...Deno.readDirSync(state)].find(({ name }) =>
      /^[0-9a-f]+\.sqlite$/.test(name)
    )!;
    await using theirs = createEngine(sqlite(`${state}/${file.name}`));
    deepEqual(await contents(theirs), await contents(ours));
    equal((await rowsOf(theirs, "SELECT 1 FROM d1_migrations")).length, 4);
    const found = await readForeignHistory(theirs);
    equal(found[0]!.tool, "wrangler");
    match(found[0]!.applied.at(-1)!, /^0004_4d3faaddc3e4/);
    await ours.close();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** The README's section on migrations, and the classes that stand above it. */
function readReadme() {
  const readme = Deno.readTextFileSync(`${ROOT}/README.md`);
  const section = readme.slice(readme.indexOf("## Migrations"));
  const [, commands] = /```sh\n([\s\S]*?)```/.exec(section)!;
  const block = (file: string) => {
    const start = section.indexOf(`// migrations/${file}`);
    return section.slice(section.indexOf("\n", start) + 1).split("```")[0]!;
  };
  const [classes] = /abstract class Base[\s\S]*?(?=\nawait using)/.exec(
    readme,
  )!;
  return {
    commands: commands!.trim().split("\n").map((line) =>
      line.replace(/ +#.*$/, "").replaceAll('"', "").split(" ").slice(3)
    ),
    env: block("env.ts"),
    body: block("<id>_users.ts"),
    models:
      `import { Entity, integer, manyToOne, oneToMany, text } from "@aludel/aludel/orm";
import { MetaData } from "@aludel/aludel/sql";
export ${classes}`,
  };
}

Deno.test("the README's migrations run as they stand, on the local D1", async () => {
  const directory = temporary();
  try {
    const { commands, env, body, models } = readReadme();
    Deno.writeTextFileSync(`${directory}/wrangler.jsonc`, WRANGLER);
    Deno.writeTextFileSync(`${directory}/models.ts`, models);
    const outputs: string[] = [];
    for (const command of commands) {
      const { code, out, err } = await migrate(directory, ...command);
      equal(code, 0, `${command.join(" ")}: ${out}${err}`);
      outputs.push(out);
      if (command[0] === "init") {
        Deno.writeTextFileSync(`${directory}/migrations/env.ts`, env);
      }
    }
    const [, written, up, check, down, history] = outputs;
    match(
      written!,
      /^Detected added table 'users'\nDetected added table 'addresses'\nWrote /,
    );
    const path = /Wrote (\S+)/.exec(written!)![1]!;
    const text = Deno.readTextFileSync(`${directory}/${path}`);
    ok(text.includes(body), text);
    match(up!, /^Running upgrade <base> -> [0-9a-f]{12}, users\n$/);
    match(check!, /^No difference/);
    match(down!, /^Running downgrade [0-9a-f]{12} -> <base>, users\n$/);
    match(history!, /^● [0-9a-f]{12} \(head\), users\n$/);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("--remote goes over D1's REST interface, after a look whether its batches are whole", async () => {
  const directory = temporary();
  await using workerd = await startWorkerd({ d1: ["DB"] });
  await using server = startD1RestServer({
    databases: {
      "11111111-2222-3333-4444-555555555555": workerd.d1("DB") as never,
    },
  });
  try {
    Deno.writeTextFileSync(`${directory}/wrangler.jsonc`, WRANGLER);
    await migrate(directory, "init", "-t", "d1");
    await migrate(directory, "revision", "--rev-id", "aaaa1111");
    const remote = (token: string) =>
      run(
        directory,
        Deno.execPath(),
        ["task", "-q", "migrate", "upgrade", "--remote"],
        {
          CLOUDFLARE_ACCOUNT_ID: server.account,
          CLOUDFLARE_API_TOKEN: token,
          CLOUDFLARE_API_BASE_URL: String(server.url).replace(/\/$/, ""),
        },
      );
    const refused = await remote("wrong");
    equal(refused.code, 1);
    const applied = await remote(server.token);
    equal(applied.code, 0, applied.err);
    match(applied.out, /-> aaaa1111/);
    const engine = (await import("../../backends/d1.ts")).d1(workerd.d1("DB"));
    const tables = await rowsOf(
      createEngine(engine),
      "SELECT name FROM sqlite_master WHERE name LIKE '\\_aludel%' ESCAPE '\\'",
    );
    deepEqual(tables, [], "nothing of the look is left");
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("--sqlite, --pglite and --url go to a file, a directory and a server", async () => {
  const directory = temporary();
  await using neon = await startNeon();
  const url = neon.server.connectionString("postgres");
  try {
    await migrate(directory, "init");
    await migrate(directory, "revision", "--rev-id", "aaaa1111");
    for (
      const target of [
        ["--sqlite", "file.db"],
        ["--pglite", "data"],
        ["--url", url],
      ]
    ) {
      const go = (...args: string[]) =>
        run(
          directory,
          Deno.execPath(),
          ["task", "-q", "migrate", ...args, ...target],
          { NEON_ENDPOINT: neon.server.endpoint },
        );
      const up = await go("upgrade", "head");
      equal(up.code, 0, up.err);
      match(up.out, /-> aaaa1111/);
      match((await go("current")).out, /^aaaa1111 \(head\)/);
    }
    const both = await migrate(
      directory,
      "upgrade",
      "--sqlite",
      "a.db",
      "--pglite",
      "b",
    );
    equal(both.code, 1);
    match(both.err, /Cannot go to --sqlite and --pglite at once/);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** Alembic's own interpreter, where it is installed. */
async function alembic(): Promise<string | undefined> {
  for (const program of ["/usr/bin/python3", "python3"]) {
    const { code } = await run(ROOT, program, ["-c", "import alembic"])
      .catch(() => ({ code: 1 }));
    if (code === 0) return program;
  }
  return undefined;
}

const python = await alembic();

Deno.test({
  name:
    "a database that Alembic manages is taken over, brought on, and handed back",
  ignore: python === undefined,
  async fn() {
    const directory = temporary();
    const script = (steps: string) => `
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
engine = create_engine("sqlite:///${directory}/app.db")
with engine.begin() as connection:
    context = MigrationContext.configure(connection)
    ${steps}
    print(",".join(sorted(context.get_current_heads())))
`;
    try {
      const stamped = await run(directory, python!, [
        "-c",
        script(
          `context._ensure_version_table(); connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('${users.revision}')"); connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT)")`,
        ),
      ]);
      equal(stamped.out.trim(), users.revision, stamped.err);

      const engine = createEngine(sqlite(`${directory}/app.db`));
      const found = await readForeignHistory(engine);
      deepEqual(found, [{
        tool: "alembic",
        table: "alembic_version",
        applied: [users.revision],
      }]);
      const migrator = createMigrator({
        revisions: SET,
        engine,
        versionTable: "alembic_version",
      });
      const { steps } = await migrator.upgrade("heads");
      equal(steps.length, 3, "what Alembic has done is not done again");
      await migrator.downgrade("-1");
      await engine.close();

      const read = await run(directory, python!, ["-c", script("pass")]);
      equal(read.out.trim(), [SET[1]!.revision, tags.revision].sort().join());
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test("a database of drizzle-kit is found, and its history stands behind a stamped base", async () => {
  await using engine = memoryEngine();
  for (
    const sql of [
      "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash TEXT, created_at INTEGER)",
      "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('f00', 1)",
      "CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT)",
    ]
  ) await rowsOf(engine, sql);
  deepEqual(await readForeignHistory(engine), [
    { tool: "drizzle-kit", table: "__drizzle_migrations", applied: ["f00"] },
  ]);
  const migrator = createMigrator({ revisions: SET, engine });
  await migrator.stamp(users.revision);
  deepEqual((await migrator.upgrade("heads")).heads, [merged.revision]);
});

Deno.test("a revision that one file cannot hold is not exported", async () => {
  await using engine = memoryEngine();
  const migrator = createMigrator({
    revisions: [
      revision({
        revision: "a1",
        upgrade: (op) => op.autocommitBlock((op) => op.execute("SELECT 1")),
      }),
    ],
    engine,
  });
  let code: unknown;
  await exportD1(migrator).catch((error) => code = error.code);
  equal(code, "migrate/d1-export");
  ok(true);
});
