/**
 * The mapper: classes and tables (Data Mapper), sessions (Repository,
 * Identity Map, Unit of Work), relations and how they are loaded. It speaks
 * to databases through `@aludel/aludel/sql` and knows no vendor. It neither
 * creates nor changes tables: that is the Core's and the migrations' work.
 *
 * ```ts
 * import {
 *   Entity,
 *   integer,
 *   manyToOne,
 *   oneToMany,
 *   selectinload,
 *   Session,
 *   text,
 * } from "@aludel/aludel/orm";
 * import { sqlite } from "@aludel/aludel/backends/sqlite";
 * import { createEngine, MetaData, select } from "@aludel/aludel/sql";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * abstract class Base extends Entity.with({ id: integer().primaryKey() }) {
 *   static override metadata = new MetaData();
 * }
 * class User extends Base.table("users", {
 *   name: text(50),
 *   addresses: () => oneToMany(Address, { backPopulates: "user" }),
 * }) {}
 * class Address extends Base.table("addresses", {
 *   email: text(),
 *   userId: integer().references("users.id"),
 *   user: () => manyToOne(User, { backPopulates: "addresses" }),
 * }) {}
 *
 * await using engine = createEngine(sqlite(":memory:"));
 * await Base.metadata.createAll(engine);
 * await using session = new Session({ bind: engine });
 * session.add(new User({ name: "ed", addresses: [new Address({ email: "a" })] }));
 * await session.commit();
 *
 * const [ed] = await session.scalars(
 *   select(User).options(selectinload(User.r.addresses)),
 * );
 * deepStrictEqual([...ed!.addresses].map(({ email }) => email), ["a"]);
 * ```
 *
 * What refers to another class stands behind a function, so that classes may
 * refer to each other. What is part of a class but neither a column nor a
 * relation (synonyms, hybrids, composites, computed properties) is a function
 * to import, as loaders, collections and listeners are: a bundle carries what
 * it names.
 *
 * A class may inherit from another: `joined()` gives what it adds a table of
 * its own, `single()` keeps it in the base's table, `concrete()` copies the
 * base's columns. What a class adds is not in the rows of its base, so a query
 * of the base gives objects of the right class without it;
 * `selectinPolymorphic()` and `withPolymorphic()` bring it along. A class is
 * known once something has named it: its constructor, a query, `mapperOf()`.
 *
 * A session holds every object that it loaded or was given, changed or not,
 * whether or not the program still does: its identity map is strong, so that
 * a second look needs no trip. It lets go of them when it is closed, or by
 * `expunge()` and `expungeAll()`; a long read does so between pages.
 *
 * ## Types when hovered
 *
 * An attribute reads as what it is, and a row as its class with what was
 * loaded:
 *
 * ```txt
 * user.addresses   Collection<Address>
 * row              User & { readonly addresses: LoadedCollection<Address & { readonly user: LoadedReference<User>; }>; }
 * ```
 *
 * ## Exporting entities from a package
 *
 * An application exports its entities as they are. A package on JSR says its
 * types instead of having them inferred: the shape as an interface, and a
 * constant of type {@linkcode EntityClass} that the class extends.
 *
 * ```ts
 * import { Entity, type EntityClass, integer, text } from "@aludel/aludel/orm";
 * import type { ColumnBuilder } from "@aludel/aludel/sql";
 * import { strictEqual } from "node:assert/strict";
 *
 * interface UserShape {
 *   readonly id: ColumnBuilder<number, true>;
 *   readonly name: ColumnBuilder<string>;
 * }
 * const UserTable: EntityClass<UserShape, object> = Entity.table("users", {
 *   id: integer().primaryKey(),
 *   name: text(),
 * });
 * // … and this may be exported:
 * class User extends UserTable {}
 *
 * strictEqual(new User({ name: "ed" }).name, "ed");
 * ```
 *
 * Or a plain class with its fields written down, and {@linkcode mapper} beside
 * it: `examples/published/entities.ts` shows both with relations.
 *
 * | question | file |
 * | --- | --- |
 * | How is a class mapped? | `entity.ts`, `mapping.ts`, `mapper.ts` |
 * | How does a class inherit? | `inheritance/` |
 * | What else can an attribute be? | `attribute.ts`, `attributes/` |
 * | How do objects refer to each other? | `relation.ts`, `relations/`, `handles/`, `join_on.ts` |
 * | What can a collection be? | `collections/`, `association_proxy.ts` |
 * | What is in a session, and in which state? | `session.ts`, `object_set.ts`, `hydration.ts`, `state.ts` |
 * | What changed, and who is told? | `history.ts`, `events/`, `hooks.ts` |
 * | What does a session send, where and when? | `session_reads.ts`, `session_writes.ts`, `session_transaction.ts` |
 * | How do a session's transactions begin and end otherwise? | `transactions/` |
 * | What does a commit write? | `changes.ts`, `unit_of_work.ts`, `emission.ts` |
 * | How are relations loaded? | `loading/` |
 * | How does a query name relations, and a class twice? | `comparators.ts`, `relation_view.ts`, `aliased.ts` |
 * | How does an object from elsewhere come into a session? | `merge.ts`, `refresh.ts` |
 * | How do rows lie in several databases of the same tables? | `sharding/` |
 * | What is there for many rows? | `bulk.ts`, `stream.ts`, `synchronize.ts` |
 * | What can go wrong? | `errors.ts` |
 *
 * @module
 */
export {
  array,
  bigint,
  blob,
  boolean,
  column,
  date,
  enumeration,
  integer,
  interval,
  json,
  numeric,
  real,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "../sql/mod.ts";
export { type AttributeSpec } from "./attribute.ts";
export {
  columnProperty,
  type ColumnPropertyOptions,
  type GroupName,
} from "./attributes/column_property.ts";
export {
  composite,
  CompositeExpression,
  type CompositeSpec,
  type CompositeValue,
  compositeValues,
  type ValueClass,
} from "./attributes/composite.ts";
export {
  type ColumnOption,
  defer,
  deferred,
  type DeferredKeys,
  type DeferredOptions,
  type KeysOfGroup,
  loadColumns,
  loadOnly,
  type RowWith,
  undefer,
  undeferGroup,
  type Undefers,
} from "./attributes/deferred.ts";
export {
  type ExpressionOption,
  queryExpression,
  withExpression,
} from "./attributes/query_expression.ts";
export { hybrid, type HybridBase } from "./attributes/hybrid.ts";
export {
  type Frozen,
  frozenJson,
  mutableDict,
  mutableList,
  mutableSet,
} from "./attributes/mutable.ts";
export { synonym } from "./attributes/synonym.ts";
export {
  type AssociationProxy,
  associationProxy,
  type ProxiedValue,
} from "./association_proxy.ts";
export { collectedIn } from "./collections/custom.ts";
export {
  keyedBy,
  type KeyedOptions,
  type LoadedMap,
  type MapCollection,
  type MapFunction,
} from "./collections/keyed.ts";
export {
  type OrderingCollection,
  type OrderingFunction,
  type OrderingList,
  orderingList,
} from "./collections/ordering_list.ts";
export {
  asSet,
  type LoadedSet,
  type SetCollection,
  type SetFunction,
} from "./collections/set.ts";
export {
  writeOnly,
  type WriteOnlyCollection,
  type WriteOnlyFunction,
} from "./collections/write_only.ts";
export { Entity } from "./entity.ts";
export {
  type AttributeListenerOptions,
  type AttributeListeners,
  listenToAttribute,
} from "./events/attribute.ts";
export {
  type ClassEvents,
  listen,
  listenToSession,
  type SessionEvents,
  type SessionLike,
} from "./events/events.ts";
export { validates, type ValidatesOptions } from "./events/validates.ts";
export { type Handle, type RelationHandle } from "./handles/handle.ts";
export { ManyHandle } from "./handles/many_handle.ts";
export type { OneHandle } from "./handles/one_handle.ts";
export { type History, historyOf, unset } from "./history.ts";
export { concrete, type ConcreteOptions } from "./inheritance/concrete.ts";
export {
  type IdentityOptions,
  polymorphicOn,
} from "./inheritance/discriminator.ts";
export { joined, type JoinedOptions } from "./inheritance/joined.ts";
export { polymorphicUnion } from "./inheritance/polymorphic_union.ts";
export { selectinPolymorphic } from "./inheritance/selectin_polymorphic.ts";
export { single } from "./inheritance/single.ts";
export type {
  ConcreteInstance,
  ConcreteShape,
  ConcreteSubclassOf,
  InstanceBelow,
  ShapeBelow,
  SubclassOf,
} from "./inheritance/types.ts";
export {
  type ClassWithColumns,
  type PolymorphicClass,
  withPolymorphic,
  type WithPolymorphicOptions,
} from "./inheritance/with_polymorphic.ts";
export { bindsOf } from "./binds_of.ts";
export { joinOn } from "./join_on.ts";
export { getForUpdate } from "./locking.ts";
export * from "./errors.ts";
export { merge, type MergeOptions } from "./merge.ts";
export {
  type AnyClass,
  type MakeObject,
  Mapper,
  mapperOf,
  type MapperParts,
  type Polymorphism,
  type RelationSpecs,
  type RowTable,
} from "./mapper.ts";
export {
  type DeclarativeOptions,
  type Inheritance,
  type MappedClass,
  mapper,
  type MapperOptions,
  type Property,
  type PropertyExpressions,
  type PropertyRelations,
} from "./mapping.ts";
export { noAutoflush } from "./no_autoflush.ts";
export * from "./relation.ts";
export { manyToMany } from "./relations/many_to_many.ts";
export { manyToOne } from "./relations/many_to_one.ts";
export { oneToMany } from "./relations/one_to_many.ts";
export { oneToOne } from "./relations/one_to_one.ts";
export {
  expire,
  makeTransient,
  makeTransientToDetached,
  refresh,
  type RefreshOptions,
} from "./refresh.ts";
export { isModified, Session } from "./session.ts";
export type {
  BindContext,
  ExecuteContext,
  NestedTransaction,
  SessionOptions,
} from "./session_contract.ts";
export {
  type InstanceState,
  type ObjectState,
  stateOf,
  type StateOwner,
} from "./state.ts";
export {
  begin,
  ExplicitSession,
  hasBegun,
  type SessionTransaction,
} from "./transactions/begin.ts";
export { warnOfDiscarded } from "./transactions/discarded.ts";
export {
  type JoinMode,
  type JoinOptions,
  joinTransaction,
} from "./transactions/join_transaction.ts";
export {
  commitPrepared,
  preparedTransactions,
  rollbackPrepared,
} from "./transactions/prepared.ts";
export { InDoubtError, TwoPhaseSession } from "./transactions/two_phase.ts";
export * from "./types.ts";
export { uncounted, type UncountedOptions } from "./uncounted.ts";
export {
  type NextVersion,
  type VersionGenerator,
  versionId,
} from "./version.ts";
export { aliased, type AliasedClass } from "./aliased.ts";
export {
  type Criterion,
  filtered,
  ofType,
  type RelationView,
  type TargetColumns,
} from "./relation_view.ts";
export { populateExisting, type SameRow } from "./session_options.ts";
export { any, contains, has, isRelated, withParent } from "./comparators.ts";
export {
  type ClassLevel,
  type LaterLoads,
  type Level,
  type LoaderOption,
  type LoadOption,
  type Read,
  type Reader,
  type Receive,
  type RelationLoader,
  type Request,
} from "./loading/loader.ts";
export {
  immediateload,
  selectinload,
  selectinTree,
  subqueryload,
} from "./loading/selectin.ts";
export {
  containsEager,
  innerJoinedload,
  joinedload,
} from "./loading/joined.ts";
export {
  defaultload,
  lazyload,
  noload,
  raiseload,
  type RaiseloadOptions,
} from "./loading/strategies.ts";
export { bulkInsert, type BulkRow, bulkUpdate } from "./bulk.ts";
export { setShardId, type ShardOption } from "./sharding/set_shard_id.ts";
export {
  ShardedSession,
  type ShardedSessionOptions,
} from "./sharding/sharded_session.ts";
export { stream, type StreamOptions } from "./stream.ts";
export { type Synchronize, synchronize } from "./synchronize.ts";
export { withLoaderCriteria, withOptions } from "./loading/criteria.ts";
export {
  detectNPlusOne,
  NPlusOneError,
  type NPlusOneOptions,
} from "./loading/n_plus_one.ts";
