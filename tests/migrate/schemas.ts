/** Schemas of all kinds, for comparing any two of them. */
import fc from "fast-check";
import {
  boolean,
  check,
  type ColumnBuilder,
  type Constraint,
  date,
  enumeration,
  foreignKey,
  index,
  integer,
  json,
  MetaData,
  numeric,
  Raw,
  real,
  table,
  text,
  timestamp,
  unique,
} from "../../sql/mod.ts";

type Described = ColumnBuilder<unknown, boolean>;

// Two schemas draw from few names, so that they have much in common.
const TABLES = ["users", "posts", "tags", "odd \"name'"];
const COLUMNS = ["a", "b_c", "D e", 'f"g', "order"];

const typed: fc.Arbitrary<Described> = fc.constantFrom<Described[]>(
  integer(),
  integer().serverDefault(0),
  integer().serverDefault(-7),
  text(),
  text().serverDefault("it's"),
  text(20),
  text(40).serverDefault("x"),
  boolean().serverDefault(true),
  real().serverDefault(0.5),
  numeric(10, 2),
  timestamp(),
  timestamp().serverDefault(text("CURRENT_TIMESTAMP")),
  date(),
  json(),
  enumeration("mood", ["ok", "so so"]),
  enumeration("colour", ["red", "green"]).serverDefault("red"),
);

const column: fc.Arbitrary<Described> = fc.tuple(
  typed,
  fc.boolean(),
  fc.constantFrom("plain", "plain", "unique", "index", "both"),
).map(([base, isNullable, flag]) => {
  let made = isNullable ? base.nullable() : base;
  if (flag === "unique" || flag === "both") made = made.unique();
  // Postgres has no index over JSON as it is.
  const isIndexed = base.spec.type.name !== "json";
  return isIndexed && (flag === "index" || flag === "both")
    ? made.index()
    : made;
});

const described = fc.record({
  columns: fc.dictionary(fc.constantFrom(...COLUMNS), column, {
    noNullPrototype: true,
    minKeys: 1,
  }),
  comment: fc.option(fc.constantFrom("some words", "it's"), {
    nil: undefined,
  }),
  uniques: fc.subarray(["u1", "u2"]),
  isUniqueLong: fc.boolean(),
  checks: fc.subarray(["k1", "k2"]),
  hasUnnamedCheck: fc.boolean(),
  indexes: fc.subarray(["plain", "down", "lower", "some", "unique"]),
  references: fc.uniqueArray(fc.constantFrom(...TABLES), { maxLength: 2 }),
  onDelete: fc.constantFrom("cascade", "set null", "restrict", undefined),
});

const schema = fc.uniqueArray(fc.constantFrom(...TABLES), {
  minLength: 0,
  maxLength: 3,
}).chain((names) =>
  fc.record({
    names: fc.constant(names),
    tables: fc.array(described, {
      minLength: names.length,
      maxLength: names.length,
    }),
  })
);

/** Metadata of up to three tables that may refer to each other in circles. */
export const anyMetadata: fc.Arbitrary<MetaData> = schema.map(
  ({ names, tables }) => {
    const metadata = new MetaData();
    names.forEach((name, at) => {
      const {
        columns,
        comment,
        uniques,
        isUniqueLong,
        checks,
        hasUnnamedCheck,
        indexes,
        references,
        onDelete,
      } = tables[at]!;
      const keys = Object.keys(columns);
      const [first = "", second = first] = keys.filter((key) =>
        columns[key]!.spec.type.name !== "json"
      );
      const targets = references.filter((target) => names.includes(target));
      const refers = targets.map((target, n) => [`r${n}`, target] as const);
      const constraints: Constraint[] = [
        // Postgres makes one of two unique keys over the same columns in order.
        ...(first === "" ? [] : uniques.map((suffix) => {
          const longer = isUniqueLong && second !== first ? [second] : [];
          const columns = suffix === "u1" ? ["id", first] : [first, "id"];
          return unique([...columns, ...longer], `${name}_${suffix}`);
        })),
        ...checks.map((suffix) =>
          check(new Raw("id > 0"), `${name}_${suffix}`)
        ),
        ...(hasUnnamedCheck ? [check(new Raw("id <> 5"))] : []),
        ...refers.map(([key, target]) =>
          foreignKey([key], [`${target}.id`], onDelete ? { onDelete } : {})
        ),
        ...(first === "" ? [] : indexes.map((kind): Constraint => {
          switch (kind) {
            case "plain":
              return index(`${name}_ix`, [second, "id"]);
            case "down":
              return index(`${name}_down`, [text("id").desc(), first]);
            case "lower":
              return index(`${name}_lower`, [text("abs(id)"), "id"]);
            case "some":
              return index(`${name}_some`, [first], { where: text("id > 3") });
            default:
              return index(`${name}_ux`, ["id", first], { unique: true });
          }
        })),
      ];
      const isKeyCommented = comment !== undefined;
      table(
        name,
        metadata,
        {
          id: isKeyCommented
            ? integer().primaryKey().comment(comment)
            : integer().primaryKey(),
          ...columns,
          ...Object.fromEntries(
            refers.map(([key]) => [key, integer().nullable()]),
          ),
        },
        constraints,
        isKeyCommented ? { comment } : {},
      );
    });
    return metadata;
  },
);
