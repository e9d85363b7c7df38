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
export { Entity } from "./entity.ts";
export * from "./errors.ts";
export {
  type AnyClass,
  Mapper,
  mapperOf,
  type RelationSpecs,
} from "./mapper.ts";
export { mapper, type MapperOptions } from "./mapping.ts";
export * from "./relation.ts";
export {
  type BindContext,
  isModified,
  type NestedTransaction,
  populateExisting,
  Session,
  type SessionOptions,
} from "./session.ts";
export { type ObjectState, stateOf } from "./state.ts";
export * from "./types.ts";
export { versionId } from "./version.ts";
export { type LoaderOption, type Read, type Reader } from "./loading/loader.ts";
export { selectinload } from "./loading/selectin.ts";
