import {
  between,
  caseWhen,
  coalesce,
  count,
  countDistinct,
  cte,
  deleteFrom,
  except,
  excluded,
  exists,
  extract,
  insert,
  insertFromSelect,
  intersect,
  jsonPath,
  literal,
  lower,
  max,
  not,
  onConflictDoUpdate,
  over,
  plus,
  recursiveCte,
  rowNumber,
  scalarSubquery,
  select,
  type Statement,
  subquery,
  sum,
  times,
  union,
  update,
} from "../../../sql/mod.ts";
import { alias, identifier } from "../../../sql/mod.ts";
import {
  album,
  artist,
  customer,
  employee,
  genre,
  invoice,
  invoiceLine,
  playlist,
  playlistTrack,
  profile,
  track,
} from "./schema.ts";

/** A question, asked by statements and, for SQLite alone, by hand. */
export interface Question {
  readonly name: string;
  readonly statements: readonly Statement<unknown>[];
  readonly byHand: readonly string[];
}

const ask = (
  name: string,
  statement: Statement<unknown> | readonly Statement<unknown>[],
  ...byHand: string[]
): Question => ({
  name,
  statements: Array.isArray(statement) ? statement : [statement],
  byHand,
} as Question);

const boss = alias(employee, "boss");
const lengths = subquery(
  select({ albumId: track.c.albumId, ms: sum(track.c.milliseconds) })
    .groupBy(track.c.albumId),
  "lengths",
);
const ranked = subquery(
  select({
    customerId: invoice.c.customerId,
    invoiceId: invoice.c.invoiceId,
    total: invoice.c.total,
    place: over(rowNumber(), {
      partitionBy: [invoice.c.customerId],
      orderBy: [invoice.c.total.desc(), invoice.c.invoiceId],
    }),
  }),
  "ranked",
);
const chain = recursiveCte(
  select({
    id: employee.c.employeeId,
    name: employee.c.lastName,
    depth: literal(0),
  }).where(employee.c.reportsTo.isNull()),
  "chain",
  (above) =>
    select({
      id: employee.c.employeeId,
      name: employee.c.lastName,
      depth: plus(above.c.depth, 1),
    }).join(above, employee.c.reportsTo.eq(above.c.id)),
);
const spent = cte(
  select({ customerId: invoice.c.customerId, total: sum(invoice.c.total) })
    .groupBy(invoice.c.customerId),
  "spent",
);
const favourite = jsonPath(profile.c.document, "genres", 0).asString();
const year = extract("year", invoice.c.invoiceDate);
const month = extract("month", invoice.c.invoiceDate);
const inPlaylist = (id: number) =>
  select({ id: playlistTrack.c.trackId }).where(
    playlistTrack.c.playlistId.eq(id),
  );

/** What people ask of a music shop's database. */
export const questions: readonly Question[] = [
  ask(
    "who bought which artist: six tables joined",
    select({
      customer: customer.c.lastName,
      artist: artist.c.name,
      tracks: count(),
      paid: sum(invoiceLine.c.unitPrice),
    }).from(customer).join(
      invoice,
      invoice.c.customerId.eq(customer.c.customerId),
    )
      .join(invoiceLine, invoiceLine.c.invoiceId.eq(invoice.c.invoiceId))
      .join(track, invoiceLine.c.trackId.eq(track.c.trackId))
      .join(album, track.c.albumId.eq(album.c.albumId))
      .join(artist, album.c.artistId.eq(artist.c.artistId))
      .groupBy(customer.c.customerId, artist.c.artistId)
      .orderBy(count().desc(), customer.c.customerId, artist.c.artistId)
      .limit(25),
    `SELECT c.LastName, ar.Name, count(*), printf('%.2f', sum(l.UnitPrice))
      FROM Customer c JOIN Invoice i USING (CustomerId) JOIN InvoiceLine l USING (InvoiceId)
      JOIN Track t USING (TrackId) JOIN Album al USING (AlbumId) JOIN Artist ar USING (ArtistId)
      GROUP BY c.CustomerId, ar.ArtistId ORDER BY 3 DESC, c.CustomerId, ar.ArtistId LIMIT 25`,
  ),
  ask(
    "artists and their albums, those without any too",
    select({ artist: artist.c.name, album: album.c.title })
      .from(artist).leftJoin(album)
      .orderBy(artist.c.artistId, album.c.albumId),
    `SELECT ar.Name, al.Title FROM Artist ar LEFT JOIN Album al ON al.ArtistId = ar.ArtistId
      ORDER BY ar.ArtistId, al.AlbumId`,
  ),
  ask(
    "employees beside those they report to: a table joined with itself",
    select({ name: employee.c.lastName, boss: boss.c.lastName })
      .from(employee)
      .leftJoin(boss, employee.c.reportsTo.eq(boss.c.employeeId))
      .orderBy(employee.c.employeeId),
    `SELECT e.LastName, b.LastName FROM Employee e
      LEFT JOIN Employee b ON b.EmployeeId = e.ReportsTo ORDER BY e.EmployeeId`,
  ),
  ask(
    "genres with more than ten tracks",
    select({
      genre: genre.c.name,
      tracks: count(track.c.trackId),
      composers: countDistinct(track.c.composer),
      longest: max(track.c.milliseconds),
    }).from(genre).join(track).groupBy(genre.c.genreId)
      .having(count(track.c.trackId).gt(10)).orderBy(genre.c.genreId),
    `SELECT g.Name, count(*), count(DISTINCT t.Composer), max(t.Milliseconds)
      FROM Genre g JOIN Track t ON t.GenreId = g.GenreId
      GROUP BY g.GenreId HAVING count(*) > 10 ORDER BY g.GenreId`,
  ),
  ask(
    "sales by month, to the cent",
    select({ year, month, invoices: count(), total: sum(invoice.c.total) })
      .groupBy(year, month).orderBy(year, month),
    `SELECT CAST(substr(InvoiceDate, 1, 4) AS INT), CAST(substr(InvoiceDate, 6, 2) AS INT),
      count(*), printf('%.2f', sum(Total)) FROM Invoice GROUP BY 1, 2 ORDER BY 1, 2`,
  ),
  ask(
    "the two dearest invoices of each customer: a window",
    select({
      customer: ranked.c.customerId,
      invoice: ranked.c.invoiceId,
      total: ranked.c.total,
    }).where(ranked.c.place.lte(2)).orderBy(
      ranked.c.customerId,
      ranked.c.place,
    ),
    `SELECT CustomerId, InvoiceId, Total FROM (SELECT *, row_number() OVER (
        PARTITION BY CustomerId ORDER BY CAST(Total AS REAL) DESC, InvoiceId) AS n FROM Invoice)
      WHERE n <= 2 ORDER BY CustomerId, n`,
  ),
  ask(
    "the tree of employees, with its depth: a recursive CTE",
    select({ name: chain.c.name, depth: chain.c.depth })
      .orderBy(chain.c.depth, chain.c.id),
    `WITH RECURSIVE r(i, n, d) AS (
        SELECT EmployeeId, LastName, 0 FROM Employee WHERE ReportsTo IS NULL
        UNION ALL SELECT e.EmployeeId, e.LastName, d + 1 FROM Employee e JOIN r ON e.ReportsTo = i)
      SELECT n, d FROM r ORDER BY d, i`,
  ),
  ask(
    "customers who bought metal",
    select({ name: customer.c.lastName }).where(
      exists(
        select({ one: literal(1) }).from(invoice).join(
          invoiceLine,
          invoiceLine.c.invoiceId.eq(invoice.c.invoiceId),
        ).join(track, track.c.trackId.eq(invoiceLine.c.trackId)).where(
          invoice.c.customerId.eq(customer.c.customerId),
          track.c.genreId.eq(3),
        ),
      ),
    ).orderBy(customer.c.customerId),
    `SELECT LastName FROM Customer WHERE CustomerId IN (SELECT CustomerId FROM Invoice
      JOIN InvoiceLine USING (InvoiceId) JOIN Track USING (TrackId) WHERE GenreId = 3)
      ORDER BY CustomerId`,
  ),
  ask(
    "customers who bought nothing",
    select({ name: customer.c.lastName }).where(
      not(exists(
        select({ id: invoice.c.invoiceId })
          .where(invoice.c.customerId.eq(customer.c.customerId)),
      )),
    ).orderBy(customer.c.customerId),
    `SELECT LastName FROM Customer WHERE CustomerId NOT IN (SELECT CustomerId FROM Invoice)`,
  ),
  ask(
    "each customer's latest invoice day: a correlated subquery",
    select({
      name: customer.c.lastName,
      last: scalarSubquery(
        select(max(invoice.c.invoiceDate))
          .where(invoice.c.customerId.eq(customer.c.customerId)),
      ),
    }).orderBy(customer.c.customerId),
    `SELECT LastName, (SELECT max(InvoiceDate) FROM Invoice i WHERE i.CustomerId = c.CustomerId)
      FROM Customer c ORDER BY c.CustomerId`,
  ),
  ask(
    "tracks longer than a tenth of the longest one: a scalar subquery",
    select({ name: track.c.name, ms: track.c.milliseconds }).where(
      scalarSubquery(select(max(alias(track, "other").c.milliseconds)))
        .lt(times(track.c.milliseconds, 10)),
    ).orderBy(track.c.milliseconds.desc(), track.c.trackId),
    `SELECT Name, Milliseconds FROM Track
      WHERE Milliseconds * 10 > (SELECT max(Milliseconds) FROM Track) ORDER BY 2 DESC, TrackId`,
  ),
  ask(
    "places of customers and employees: a union",
    union(
      select({ city: customer.c.city }),
      select({ city: employee.c.city }),
    ),
    `SELECT City FROM Customer UNION SELECT City FROM Employee`,
  ),
  ask(
    "tracks of the first list that are not in the second",
    except(inPlaylist(8), inPlaylist(5)),
    `SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 8
      EXCEPT SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 5`,
  ),
  ask(
    "tracks in both lists",
    intersect(inPlaylist(8), inPlaylist(5)),
    `SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 8
      INTERSECT SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 5`,
  ),
  ask(
    "tracks by how long they are",
    select({
      size: caseWhen(track.c.milliseconds.lt(180000), "short")
        .when(track.c.milliseconds.lt(360000), "middle").else("long"),
      tracks: count(),
    }).groupBy(identifier("size")).orderBy(count().desc()),
    `SELECT CASE WHEN Milliseconds < 180000 THEN 'short' WHEN Milliseconds < 360000
      THEN 'middle' ELSE 'long' END AS s, count(*) FROM Track GROUP BY s ORDER BY 2 DESC`,
  ),
  ask(
    "a state, else a country",
    select({
      name: customer.c.lastName,
      place: coalesce(customer.c.state, customer.c.country, "nowhere"),
    }).orderBy(customer.c.customerId),
    `SELECT LastName, coalesce(State, Country, 'nowhere') FROM Customer ORDER BY CustomerId`,
  ),
  ask(
    "countries that were billed, each once",
    select({ country: invoice.c.billingCountry }).distinct(),
    `SELECT BillingCountry FROM Invoice GROUP BY BillingCountry`,
  ),
  ask(
    "albums with a track of a list: IN a subquery",
    select({ title: album.c.title }).where(
      album.c.albumId.in(
        select(track.c.albumId).where(track.c.trackId.in(inPlaylist(17))),
      ),
    ).orderBy(album.c.albumId),
    `SELECT DISTINCT Title FROM Album JOIN Track USING (AlbumId)
      JOIN PlaylistTrack USING (TrackId) WHERE PlaylistId = 17 ORDER BY AlbumId`,
  ),
  ask(
    "tracks with a word in their name, the third page of them",
    select({ id: track.c.trackId, name: track.c.name })
      .where(lower(track.c.name).like("% the %")).orderBy(track.c.trackId)
      .limit(3).offset(6),
    `SELECT TrackId, Name FROM Track WHERE instr(lower(Name), ' the ')
      ORDER BY TrackId LIMIT 3 OFFSET 6`,
  ),
  ask(
    "invoices of one quarter",
    select({ id: invoice.c.invoiceId, total: invoice.c.total }).where(
      between(invoice.c.invoiceDate, "2021-04-01", "2021-06-30"),
    ).orderBy(invoice.c.invoiceId),
    `SELECT InvoiceId, Total FROM Invoice
      WHERE InvoiceDate >= '2021-04-01' AND InvoiceDate < '2021-07-01' ORDER BY InvoiceId`,
  ),
  ask(
    "albums by their length: a subquery joined",
    select({ title: album.c.title, ms: lengths.c.ms })
      .from(album).join(lengths, lengths.c.albumId.eq(album.c.albumId))
      .where(lengths.c.ms.gt(1000000)).orderBy(lengths.c.ms.desc()),
    `SELECT Title, sum(Milliseconds) FROM Album JOIN Track USING (AlbumId)
      GROUP BY AlbumId HAVING sum(Milliseconds) > 1000000 ORDER BY 2 DESC`,
  ),
  ask(
    "what customers of each employee have spent: a CTE",
    select({ rep: employee.c.lastName, total: sum(spent.c.total) })
      .from(spent)
      .join(customer, customer.c.customerId.eq(spent.c.customerId))
      .join(employee, customer.c.supportRepId.eq(employee.c.employeeId))
      .groupBy(employee.c.employeeId).orderBy(employee.c.employeeId),
    `SELECT e.LastName, printf('%.2f', sum(Total)) FROM Invoice JOIN Customer c USING (CustomerId)
      JOIN Employee e ON e.EmployeeId = c.SupportRepId GROUP BY EmployeeId ORDER BY EmployeeId`,
  ),
  ask(
    "what profiles say at any depth: places inside JSON",
    select({
      id: profile.c.customerId,
      floor: jsonPath(profile.c.document, "home", "floor").asInteger(),
      door: jsonPath(profile.c.document, "home", 'door "it\'s"').asString(),
      best: favourite,
      rating: jsonPath(profile.c.document, "rating").asReal(),
    }).where(
      jsonPath(profile.c.document, "newsletter").asBoolean().eq(true),
    ).orderBy(profile.c.customerId),
    `SELECT CustomerId, json_extract(Document, '$.home.floor'),
        json_extract(Document, '$.home."door \\"it''s\\""'), json_extract(Document, '$.genres[0]'),
        json_extract(Document, '$.rating')
      FROM Profile WHERE json_extract(Document, '$.newsletter') ORDER BY CustomerId`,
  ),
  ask(
    "what those spent who like each genre best: groups and joins by a place inside JSON",
    select({
      genre: genre.c.name,
      customers: count(),
      higher: count(jsonPath(profile.c.document, "home", "floor").asInteger()),
      total: sum(spent.c.total),
    }).from(profile)
      .join(genre, favourite.eq(genre.c.name))
      .join(spent, spent.c.customerId.eq(profile.c.customerId))
      .groupBy(genre.c.name)
      .having(max(jsonPath(profile.c.document, "rating").asReal()).gt(1))
      .orderBy(genre.c.name),
    `SELECT g.Name, count(*), count(json_extract(p.Document, '$.home.floor')), printf('%.2f', sum(s.Total))
      FROM Profile p JOIN Genre g ON g.Name = json_extract(p.Document, '$.genres[0]')
      JOIN (SELECT CustomerId, sum(Total) AS Total FROM Invoice GROUP BY 1) s USING (CustomerId)
      GROUP BY g.Name HAVING max(json_extract(p.Document, '$.rating')) > 1 ORDER BY g.Name`,
  ),
  ask(
    "writing a list again: an upsert",
    onConflictDoUpdate(
      insert(playlist).values([
        { playlistId: 5, name: "Nineties" },
        { playlistId: 99, name: "New" },
      ]),
      {
        target: ["playlistId"],
        set: { name: excluded(playlist.c.name) },
      },
    ).returning({ id: playlist.c.playlistId, name: playlist.c.name }),
    `INSERT INTO Playlist VALUES (5, 'Nineties'), (99, 'New')
      ON CONFLICT (PlaylistId) DO UPDATE SET Name = excluded.Name RETURNING PlaylistId, Name`,
  ),
  ask(
    "filling a list from a query",
    [
      insertFromSelect(
        insert(playlistTrack),
        ["playlistId", "trackId"],
        select({ list: literal(99), id: track.c.trackId })
          .where(track.c.genreId.eq(1), track.c.milliseconds.lt(200000)),
      ),
      inPlaylist(99),
    ],
    `INSERT INTO PlaylistTrack SELECT 99, TrackId FROM Track WHERE GenreId = 1 AND Milliseconds < 200000`,
    `SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 99`,
  ),
  ask(
    "raising prices by what another table says",
    [
      update(track).set({ unitPrice: "1.29" }).from(genre).where(
        track.c.genreId.eq(genre.c.genreId),
        genre.c.name.eq("Metal"),
      ),
      select({ price: track.c.unitPrice, tracks: count() })
        .groupBy(track.c.unitPrice),
    ],
    `UPDATE Track SET UnitPrice = '1.29' WHERE GenreId = (SELECT GenreId FROM Genre WHERE Name = 'Metal')`,
    `SELECT UnitPrice, count(*) FROM Track GROUP BY UnitPrice`,
  ),
  ask(
    "artists without an album go, and say who they were",
    deleteFrom(artist).where(
      artist.c.artistId.notIn(select(album.c.artistId)),
    ).returning({ id: artist.c.artistId, name: artist.c.name }),
    `DELETE FROM Artist WHERE NOT EXISTS (SELECT 1 FROM Album WHERE Album.ArtistId = Artist.ArtistId)
      RETURNING ArtistId, Name`,
  ),
];
