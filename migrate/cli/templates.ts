function environment(comment: string, target: string): string {
  return `import { defineMigrations } from "@aludel/aludel/migrate";

export default defineMigrations({
  // ${comment}
  engines: { default: ${target} },
  // What \`revision --autogenerate\` and \`check\` compare with:
  // metadata: Base.metadata,
});
`;
}

/** What `init --template` can write as `env.ts`. */
export const TEMPLATES: Readonly<Record<string, string>> = {
  sqlite: environment("A SQLite file.", '{ sqlite: "app.db" }'),
  d1: environment(
    "The D1 of `wrangler dev`; --remote goes to the one at Cloudflare.",
    "{ local: true }",
  ),
  pglite: environment("Postgres in a directory.", '{ pglite: "pgdata" }'),
  neon: environment(
    "Postgres over HTTP.",
    '{ url: Deno.env.get("DATABASE_URL") ?? "" }',
  ),
};
