/**
 * The mapper: classes and tables (Data Mapper), sessions (Repository,
 * Identity Map, Unit of Work), relations and how they are loaded. It speaks
 * to databases through `@aludel/aludel/sql` and knows no vendor.
 *
 * | question | file |
 * | --- | --- |
 * | How is a class mapped? | `entity.ts`, `mapping.ts`, `mapper.ts` |
 * | How do objects refer to each other? | `relation.ts`, `handles.ts` |
 * | What is in a session, and in which state? | `session.ts`, `object_set.ts`, `state.ts` |
 * | What does a commit write? | `unit_of_work.ts`, `emission.ts` |
 * | How are relations loaded? | `loading/` |
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
  type DeferredOptions,
  loadColumns,
  loadOnly,
  type SameRow,
  undefer,
  undeferGroup,
} from "./attributes/deferred.ts";
export { hybrid, type HybridBase } from "./attributes/hybrid.ts";
export { synonym } from "./attributes/synonym.ts";
export {
  type AssociationProxy,
  associationProxy,
} from "./association_proxy.ts";
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
} from "./events/events.ts";
export { validates, type ValidatesOptions } from "./events/validates.ts";
export { type History, historyOf, unset } from "./history.ts";
export { joinOn } from "./join_on.ts";
export * from "./errors.ts";
export {
  type AnyClass,
  Mapper,
  mapperOf,
  type MapperParts,
  type RelationSpecs,
} from "./mapper.ts";
export {
  type DeclarativeOptions,
  type MappedClass,
  mapper,
  type MapperOptions,
  type Property,
} from "./mapping.ts";
export * from "./relation.ts";
export {
  type BindContext,
  isModified,
  type NestedTransaction,
  Session,
  type SessionOptions,
} from "./session.ts";
export { type ObjectState, stateOf } from "./state.ts";
export * from "./types.ts";
export { versionId } from "./version.ts";
export { aliased, type AliasedClass } from "./aliased.ts";
export {
  type Criterion,
  filtered,
  ofType,
  type RelationView,
  type TargetColumns,
} from "./relation_view.ts";
export { populateExisting } from "./session_options.ts";
export { any, contains, has, isRelated, withParent } from "./comparators.ts";
export {
  type Level,
  type LoaderOption,
  type LoadOption,
  type Read,
  type Reader,
  type Receive,
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
export { withLoaderCriteria, withOptions } from "./loading/criteria.ts";
export {
  detectNPlusOne,
  NPlusOneError,
  type NPlusOneOptions,
} from "./loading/n_plus_one.ts";
