import {
  date,
  type Insert,
  insert,
  integer,
  json,
  MetaData,
  numeric,
  primaryKey,
  sortTables,
  type Table,
  table,
  text,
} from "../../../sql/mod.ts";
import data from "./data.json" with { type: "json" };

/** The eleven tables of the Chinook sample database, and one of documents. */
export const metadata: MetaData = new MetaData();

const id = (name: string) => integer().named(name).primaryKey();
const words = (name: string) => text().named(name).nullable();
const to = (name: string, target: string) =>
  integer().named(name).references(target);

const person = {
  lastName: text(20).named("LastName"),
  firstName: text(40).named("FirstName"),
  address: words("Address"),
  city: words("City"),
  state: words("State"),
  country: words("Country"),
  postalCode: words("PostalCode"),
  phone: words("Phone"),
  fax: words("Fax"),
  email: words("Email"),
};

export const artist = table("Artist", metadata, {
  artistId: id("ArtistId"),
  name: words("Name"),
});
export const genre = table("Genre", metadata, {
  genreId: id("GenreId"),
  name: words("Name"),
});
export const mediaType = table("MediaType", metadata, {
  mediaTypeId: id("MediaTypeId"),
  name: words("Name"),
});
export const album = table("Album", metadata, {
  albumId: id("AlbumId"),
  title: text(160).named("Title"),
  artistId: to("ArtistId", "Artist.ArtistId"),
});
export const track = table("Track", metadata, {
  trackId: id("TrackId"),
  name: text(200).named("Name"),
  albumId: to("AlbumId", "Album.AlbumId").nullable(),
  mediaTypeId: to("MediaTypeId", "MediaType.MediaTypeId"),
  genreId: to("GenreId", "Genre.GenreId").nullable(),
  composer: words("Composer"),
  milliseconds: integer().named("Milliseconds"),
  bytes: integer().named("Bytes").nullable(),
  unitPrice: numeric(10, 2).named("UnitPrice"),
});
export const employee = table("Employee", metadata, {
  employeeId: id("EmployeeId"),
  ...person,
  title: words("Title"),
  reportsTo: to("ReportsTo", "Employee.EmployeeId").nullable(),
  birthDate: date().named("BirthDate").nullable(),
  hireDate: date().named("HireDate").nullable(),
});
export const customer = table("Customer", metadata, {
  customerId: id("CustomerId"),
  ...person,
  company: words("Company"),
  supportRepId: to("SupportRepId", "Employee.EmployeeId").nullable(),
});
export const invoice = table("Invoice", metadata, {
  invoiceId: id("InvoiceId"),
  customerId: to("CustomerId", "Customer.CustomerId"),
  invoiceDate: date().named("InvoiceDate"),
  billingAddress: words("BillingAddress"),
  billingCity: words("BillingCity"),
  billingState: words("BillingState"),
  billingCountry: words("BillingCountry"),
  billingPostalCode: words("BillingPostalCode"),
  total: numeric(10, 2).named("Total"),
});
export const invoiceLine = table("InvoiceLine", metadata, {
  invoiceLineId: id("InvoiceLineId"),
  invoiceId: to("InvoiceId", "Invoice.InvoiceId"),
  trackId: to("TrackId", "Track.TrackId"),
  unitPrice: numeric(10, 2).named("UnitPrice"),
  quantity: integer().named("Quantity"),
});
export const playlist = table("Playlist", metadata, {
  playlistId: id("PlaylistId"),
  name: words("Name"),
});
export const playlistTrack = table("PlaylistTrack", metadata, {
  playlistId: to("PlaylistId", "Playlist.PlaylistId"),
  trackId: to("TrackId", "Track.TrackId"),
}, [primaryKey(["playlistId", "trackId"])]);

export const profile = table("Profile", metadata, {
  customerId: to("CustomerId", "Customer.CustomerId").primaryKey(),
  document: json().named("Document"),
});

interface Slice {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** The slice of each table, by its name. */
export const slices: Readonly<Record<string, Slice>> = {
  ...data.tables,
  Profile: {
    columns: ["customerId", "document"],
    rows: data.tables.Customer.rows.map(([id]) => [id, documentOf(Number(id))]),
  },
};

/** What a customer said of themselves: of many shapes, some places missing or null. */
function documentOf(id: number): unknown {
  const genres = ["Rock", "Metal", "Jazz", "Latin"].slice(id % 5);
  return {
    genres,
    newsletter: id % 3 === 0,
    home: id % 4 === 0 ? null : { floor: id % 7 - 1, 'door "it\'s"': `${id}a` },
    ...(id % 2 === 0 && { rating: id / 8 }),
  };
}

/** One INSERT for each table, referenced tables first. */
export function inserts(): Insert<Table>[] {
  return sortTables(metadata.tables.values()).map((one) => {
    const { columns, rows } = slices[one.name]!;
    return insert(one).values(
      rows.map((row) =>
        Object.fromEntries(columns.map((key, i) => [key, row[i]]))
      ),
    );
  });
}
