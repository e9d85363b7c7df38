/**
 * The guest book under Deno: a SQLite file for the rows, memory for the page.
 *
 * Run it with `deno run -A examples/deno/main.ts [file]`; it prints its address.
 */
import { memory } from "@aludel/aludel/backends/memory";
import { sqlite } from "@aludel/aludel/backends/sqlite";
import { createRegion } from "@aludel/aludel/cache";
import { selectinload, Session } from "@aludel/aludel/orm";
import { createEngine, select } from "@aludel/aludel/sql";
import { Hono } from "hono";
import { Entry, Guest, metadata } from "../worker/models.ts";

const engine = createEngine(sqlite(Deno.args[0] ?? ":memory:"));
await metadata.createAll(engine);
const region = createRegion({ name: "guest-book" })
  .configure({ backend: memory(), expirationTime: 60 });

const app = new Hono();

app.get("/", async (c) => {
  const page = await region.getOrCreate("page", async () => {
    await using session = new Session({ bind: engine });
    const guests = await session.scalars(
      select(Guest).orderBy(Guest.c.name).options(
        selectinload(Guest.r.entries),
      ),
    );
    return guests.map((guest) => ({
      name: guest.name,
      entries: guest.entries.toArray().map((entry) => entry.text),
    }));
  });
  return c.json(page);
});

app.post("/:name", async (c) => {
  await using session = new Session({ bind: engine });
  const name = c.req.param("name");
  const known = await session.first(select(Guest).where(Guest.c.name.eq(name)));
  const guest = known ?? new Guest({ name });
  guest.entries.add(new Entry({ text: await c.req.text() }));
  session.add(guest);
  await session.commit();
  await region.delete("page");
  return c.json({ id: guest.id }, 201);
});

Deno.serve({ hostname: "127.0.0.1", port: 0 }, app.fetch);
