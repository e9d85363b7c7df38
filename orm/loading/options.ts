import {
  type Alias,
  type FromClause,
  Select,
  type SelectOption,
  type Statement,
} from "../../sql/mod.ts";
import { MappingError } from "../errors.ts";
import type { Mapper } from "../mapper.ts";
import type { Relation } from "../relation.ts";
import { stateOf } from "../state.ts";
import {
  type ClassLevel,
  isLoader,
  type LaterLoads,
  type Level,
  type LoadOption,
  type Read,
  type Reader,
  type Receive,
  type Request,
} from "./loader.ts";

/** Plans the reads of a statement with its options: those of one relation, the last wins. */
export function planOptions(
  statement: Statement<unknown>,
  reader: Reader,
  receive?: Receive,
): readonly Read[] {
  const options = statement.optionList.filter(isLoader);
  // One that plans in a way of its own stands around the others.
  const outer = options.find(({ plan }) => plan !== planOptions);
  if (outer) return outer.plan(statement, reader, receive);
  const spread = options.filter((option) => option.narrow);
  let asked = statement;
  for (const option of spread) asked = option.narrow?.(asked) ?? asked;
  const request: Request = { reader, asked, sent: asked, finish: [], spread };
  const later = laterLoads(options);
  let rows: readonly unknown[] = [];
  const levels = levelsOf(asked, () => rows);
  const plans = chosenFor(options, levels).map((choice) =>
    planChoice(choice, request)
  );
  for (const option of options) {
    if (option.relation === undefined) option.prepare?.(request);
  }
  const remember: Receive = (received) => {
    for (const finish of request.finish.toReversed()) {
      finish(received as unknown[]);
    }
    rows = received;
    for (const level of levels) keep(later, level.objects());
    for (const { loaded } of plans) loaded();
    receive?.(rows);
  };
  return [
    reader.read(request.sent, remember),
    ...extensions(options, levels, request),
    ...plans.flatMap(({ reads }) => reads()),
  ];
}

interface Choice {
  readonly relation: Relation;
  readonly option: LoadOption;
  readonly level: ClassLevel;
}

interface Planned {
  reads(): readonly Read[];
  loaded(): void;
}

function planChoice(
  { relation, option, level }: Choice,
  request: Request,
): Planned {
  option.prepare?.(request, level);
  return {
    reads: () => option.load?.(relation, level, request) ?? [],
    loaded: () => option.loaded?.(relation, level.objects()),
  };
}

/** Plans the options of objects that come along in another query's rows. */
export function planBelow(
  options: readonly SelectOption[],
  relation: Relation,
  level: Level,
  request: Request,
): Planned {
  const mapper = relation.target;
  const loaders = [...options.filter(isLoader), ...request.spread];
  const plans = chosenFor(loaders, [{ ...level, mapper }])
    .map((choice) => planChoice(choice, request));
  return {
    reads: () => [
      ...extensions(loaders, [{ ...level, mapper }], request),
      ...plans.flatMap((plan) => plan.reads()),
    ],
    loaded: () => {
      keep(laterLoads(loaders), level.objects());
      for (const plan of plans) plan.loaded();
    },
  };
}

/** What options read of the objects themselves, before their relations. */
function extensions(
  options: readonly LoadOption[],
  levels: readonly ClassLevel[],
  request: Request,
): readonly Read[] {
  return options.flatMap((option) =>
    levels.flatMap((level) => option.extend?.(level, request) ?? [])
  );
}

// What is loaded later is loaded as the query said.
function keep(later: LaterLoads, objects: readonly object[]): void {
  for (const object of objects) stateOf(object).later = later;
}

function laterLoads(options: readonly LoadOption[]): LaterLoads {
  const optionOf = (relation: Relation): LoadOption | undefined =>
    options.findLast((option) => option.relation === relation) ??
      options.findLast((option) => option.relation === "*");
  return {
    lazy: (relation, state, isLocal) =>
      optionOf(relation)?.lazy?.(relation, state, isLocal),
    optionsOf: (relation) => [
      ...optionOf(relation)?.then ?? [],
      ...options.filter((option) => option.narrow),
    ],
    narrows: (mapper) =>
      options.some((option) => option.criterionOf?.(mapper, mapper.from)),
  };
}

/** Which option says how each relation is loaded. */
function chosenFor(
  options: readonly LoadOption[],
  levels: readonly ClassLevel[],
): Choice[] {
  const chosen = new Map<string, Choice>();
  const choose = (option: LoadOption, relation: Relation, at: number): void => {
    const level = levels[at] as ClassLevel;
    const place = `${at}.${relation.key}`;
    const former = chosen.get(place)?.option;
    chosen.set(place, {
      relation,
      level,
      option: option.isDefault && former ? below(former, option) : option,
    });
  };
  const wildcards = options.filter((option) => option.relation === "*");
  for (const option of wildcards) {
    levels.forEach(({ mapper }, at) => {
      for (const relation of mapper.relations.values()) {
        choose(option, relation, at);
      }
    });
  }
  for (const option of options) {
    const { relation, from } = option;
    if (!relation || relation === "*") continue;
    const at = levels.findIndex((level) =>
      from
        ? level.from === from
        : level.mapper.isSubclassOf(relation.parent.cls) ||
          relation.parent.isSubclassOf(level.mapper.cls)
    );
    if (at < 0) {
      throw new MappingError(
        `Cannot load ${relation.parent.name}.${relation.key} with the query: it gives ${
          levels.map(({ mapper }) => mapper.name).join(", ") || "no objects"
        }; put the option below the one that leads to ${relation.parent.name}`,
      );
    }
    choose(option, relation, at);
  }
  return [...chosen.values()];
}

/** An option with further ones below it; its functions ask `this` for them. */
function below(option: LoadOption, more: LoadOption): LoadOption {
  return { ...option, then: [...option.then ?? [], ...more.then ?? []] };
}

/** What objects a statement gives, and where in its rows they stand. */
function levelsOf(
  statement: Statement<unknown>,
  rows: () => readonly unknown[],
): ClassLevel[] {
  if (!(statement instanceof Select)) return [];
  const { shape } = statement;
  return shape.items.flatMap(({ source, key }, part) => {
    if (!source?.owner) return [];
    const mapper = source.owner as Mapper;
    const from = source.from;
    return {
      mapper,
      query: statement,
      from,
      joined: { from, part, isInner: true },
      objects: () =>
        rows().flatMap((row) => {
          const object = shape.kind === "single"
            ? row
            : (row as Record<string | number, unknown>)[key ?? part];
          return object ? [object as object] : [];
        }),
    };
  });
}

/** What a class's own columns are columns of, where its rows come from `from`. */
export function tableIn(mapper: Mapper, from: FromClause): FromClause {
  return "of" in from &&
      (from as Alias).of.members.includes(mapper.from.members.at(-1) as never)
    ? from
    : mapper.from;
}
