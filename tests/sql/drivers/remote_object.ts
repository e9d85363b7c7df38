import type { BoundStatement, Driver, DriverResult } from "../../../sql/mod.ts";
import { classifySqlite, sqlite as dialect } from "../../../sql/mod.ts";
import { startWorkerd, type Workerd } from "../../services/mod.ts";

/** A Durable Object whose database a test can reach from outside. */
export interface RemoteObject extends AsyncDisposable {
  /** A driver that hands statements to the one inside the object. */
  readonly driver: Driver;
}

// What JSON has no words for travels as { hex }.
const CODEC = `
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
  const pack = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? { hex: hex(value) } : value;
  const unpack = (value) => value === null || typeof value !== "object" ? value
    : Uint8Array.from(value.hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
`;

/** Starts workerd with one object. */
export async function startRemoteObject(): Promise<RemoteObject> {
  const workerd: Workerd = await startWorkerd({
    workers: [{
      durableObjects: { OBJECT: "Database" },
      entry: {
        source: `
          import { DurableObject } from "cloudflare:workers";
          import { durableObjectSql } from "./backends/durable_object_sql.ts";
          ${CODEC}
          export class Database extends DurableObject {
            async fetch(request) {
              const statements = (await request.json()).map(({ sql, params }) => ({ sql, params: params.map(unpack) }));
              try {
                const results = await durableObjectSql(this.ctx.storage).batch(statements);
                return Response.json(results.map((one) => ({ ...one, rows: one.rows.map((row) => row.map(pack)) })));
              } catch (error) {
                return new Response(error.message, { status: 500 });
              }
            }
          }
          export default {
            fetch: (request, env) => env.OBJECT.get(env.OBJECT.idFromName("one")).fetch(request),
          };
        `,
      },
    }],
  });
  const batch = async (
    statements: readonly BoundStatement[],
  ): Promise<DriverResult[]> => {
    const answer = await workerd.fetch("/", {
      method: "POST",
      body: JSON.stringify(statements.map(({ sql, params }) => ({
        sql,
        params: params.map((value) =>
          value instanceof Uint8Array ? { hex: value.toHex() } : value
        ),
      }))),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const results: DriverResult[] = await answer.json();
    return results.map((result) => ({
      ...result,
      rows: result.rows.map((row) => row.map(unpack)),
    }));
  };
  return {
    driver: {
      dialect,
      capabilities: {
        interactiveTransactions: false,
        atomicBatch: true,
        savepoints: false,
        bookmarks: false,
        limits: { params: 100 },
      },
      execute: async (statement) =>
        (await batch([statement]))[0] as DriverResult,
      batch,
      classify: classifySqlite,
    },
    [Symbol.asyncDispose]: () => workerd.dispose(),
  };
}

function unpack(value: unknown): unknown {
  const { hex }: { readonly hex?: unknown } = Object(value);
  return typeof hex === "string" ? Uint8Array.fromHex(hex) : value;
}
