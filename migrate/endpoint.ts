import {
  type BoundStatement,
  type Driver,
  type DriverResult,
  type Engine,
  GuardError,
  SqlError,
  type SqlValue,
} from "../sql/mod.ts";
import { MigrateError } from "./errors.ts";
import { findGuard } from "./runner/guards.ts";

/** Who may use an endpoint. */
export interface EndpointOptions {
  /** A secret of at least 16 characters that both sides know. */
  readonly token: string;
}

/**
 * Answers a migration's batches inside the application's own Worker, where the
 * database is a binding: atomic, and no text is split on the way.
 *
 * @example In a Worker
 * ```ts ignore
 * if (url.pathname === "/_migrate") {
 *   const engine = createEngine(d1(env.DB));
 *   return await migrationEndpoint(request, engine, { token: env.MIGRATE_TOKEN });
 * }
 * ```
 *
 * @throws {MigrateError} If the token is too short to be a secret.
 */
export async function migrationEndpoint(
  request: Request,
  engine: Engine,
  { token }: EndpointOptions,
): Promise<Response> {
  refuseShort(token);
  const given = request.headers.get("Authorization") ?? "";
  if (!await isSame(given, `Bearer ${token}`)) {
    return new Response("Unauthorized", { status: 401 });
  }
  if (request.method !== "POST") {
    return new Response("Method Not Allowed", { status: 405 });
  }
  let statements: readonly BoundStatement[];
  try {
    statements = (await request.json() as Call).statements;
  } catch {
    return new Response("Bad Request", { status: 400 });
  }
  try {
    const results = await engine.sendBatch(statements);
    return Response.json({ results });
  } catch (error) {
    const guard = findGuard(error);
    return Response.json({
      error: error instanceof Error ? error.message : String(error),
      guard: guard && `${guard.label}:${guard.detail}`,
    }, { status: 422 });
  }
}

interface Call {
  readonly statements: readonly BoundStatement[];
}

interface Answer {
  readonly results?: readonly DriverResult[];
  readonly error?: string;
  readonly guard?: string;
}

/**
 * Reaches a database through {@linkcode migrationEndpoint}.
 *
 * @param like A driver of the same kind, for its dialect, limits and errors.
 * @throws {MigrateError} If the token is too short to be a secret.
 */
export function endpointDriver(
  url: string,
  like: Pick<Driver, "dialect" | "capabilities" | "classify">,
  options: EndpointOptions & { readonly fetch?: typeof fetch },
): Driver {
  refuseShort(options.token);
  const batch = async (
    statements: readonly BoundStatement[],
  ): Promise<readonly DriverResult[]> => {
    const response = await (options.fetch ?? fetch)(url, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${options.token}`,
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ statements: statements.map(portable) }),
    });
    if (response.status !== 200 && response.status !== 422) {
      throw new SqlError(
        "sql/http",
        `Cannot reach the migration endpoint: it answered ${response.status}; check its address and token`,
      );
    }
    const { results, error, guard } = await response.json() as Answer;
    if (results) return results;
    if (guard !== undefined) throw new GuardError(guard);
    throw new Error(error);
  };
  return {
    dialect: like.dialect,
    capabilities: { ...like.capabilities, interactiveTransactions: false },
    execute: async (statement) => (await batch([statement]))[0]!,
    batch,
    classify: like.classify,
  };
}

function portable({ sql, params }: BoundStatement): BoundStatement {
  for (const value of params as readonly SqlValue[]) {
    if (!(value instanceof Uint8Array)) continue;
    throw new MigrateError(
      "endpoint-bytes",
      "Cannot send bytes through a migration endpoint; write them as a literal x'…'",
    );
  }
  return { sql, params };
}

function refuseShort(token: string): void {
  if (token.length >= 16) return;
  throw new MigrateError(
    "endpoint-token",
    "Cannot guard a migration endpoint: its token has fewer than 16 characters; make a longer one",
  );
}

/** Compares digests, so that the time taken says nothing of the secret. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([a, b].map(async (text) =>
    new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    )
  ));
  return x!.every((byte, at) => byte === y![at]);
}
