import type * as z from 'zod';
import { checkRule } from './choice.ts';
import {
  branchSchema,
  definitionSchema,
  itemProcessorSchema,
  type Machine,
  type MapState,
  type ParallelState,
  type State,
  stateSchema,
} from './definition.ts';
import { isJsonObject, type Json } from './json.ts';
import { parseTaskResource } from './task-resource.ts';
import { checkPath, checkTemplate, checkTemplateOrIntrinsic } from './validate-data-flow.ts';

/** A definition that the local runtime cannot run as AWS would; every reason is listed. */
export class UnsupportedDefinition extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The state machine cannot run here:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'UnsupportedDefinition';
    this.problems = problems;
  }
}

/**
 * Reads a definition in the Amazon States Language (JSONPath).
 *
 * @throws UnsupportedDefinition naming each state and feature that is wrong, or that cannot be run
 *   with AWS's meaning.
 */
export function readDefinition(source: string): Machine {
  const reader = new Reader();
  let raw: unknown;
  try {
    raw = JSON.parse(source);
  } catch (error) {
    throw new UnsupportedDefinition([`the definition is not JSON: ${message(error)}`]);
  }
  const machine = reader.machine(raw, definitionSchema, 'the definition');
  if (machine === undefined || reader.problems.length > 0) throw new UnsupportedDefinition(reader.problems);
  const timeout = isJsonObject(raw) ? raw.TimeoutSeconds : undefined;
  return typeof timeout === 'number' ? { ...machine, timeoutSeconds: timeout } : machine;
}

interface RawMachine {
  StartAt: string;
  States: Record<string, unknown>;
}

class Reader {
  readonly problems: string[] = [];
  /** State names are unique in a whole definition, on AWS as well. */
  readonly #names = new Set<string>();

  machine<T extends RawMachine>(raw: unknown, schema: z.ZodType<T>, where: string): Machine | undefined {
    const parsed = this.#parse(schema, raw, where);
    if (parsed === undefined) return undefined;
    const states = new Map<string, State>();
    for (const [name, rawState] of Object.entries(parsed.States)) {
      if (this.#names.has(name)) this.problems.push(`state ${name}: its name is used twice`);
      this.#names.add(name);
      const state = this.#state(name, rawState);
      if (state !== undefined) states.set(name, state);
    }
    if (!Object.hasOwn(parsed.States, parsed.StartAt)) {
      this.problems.push(`${where}: StartAt names ${parsed.StartAt}, which does not exist`);
    }
    for (const state of states.values()) {
      for (const next of targets(state)) {
        if (!Object.hasOwn(parsed.States, next)) {
          this.problems.push(`state ${state.name}: it leads to ${next}, which does not exist beside it`);
        }
      }
    }
    return { startAt: parsed.StartAt, states };
  }

  #state(name: string, raw: unknown): State | undefined {
    const where = `state ${name}`;
    const parsed = this.#parse(stateSchema, raw, where);
    if (parsed === undefined) return undefined;
    this.#checkFields(parsed, where);
    switch (parsed.Type) {
      case 'Task': {
        const task = this.#attempt(where, () => parseTaskResource(parsed.Resource));
        return task === undefined ? undefined : { ...parsed, name, task };
      }
      case 'Parallel':
        return this.#parallel({ ...parsed, name, branches: [] });
      case 'Map':
        return this.#map({ ...parsed, name, processor: { startAt: '', states: new Map() } });
      case 'Choice':
        for (const rule of parsed.Choices) this.#attempt(where, () => checkRule(rule, true));
        return { ...parsed, name };
      default:
        return { ...parsed, name };
    }
  }

  #parallel(state: ParallelState): ParallelState {
    const branches = state.Branches.map((branch, index) =>
      this.machine(branch, branchSchema, `branch ${index} of state ${state.name}`),
    );
    return { ...state, branches: branches.filter((branch) => branch !== undefined) };
  }

  #map(state: MapState): MapState | undefined {
    const where = `state ${state.name}`;
    const raw = state.ItemProcessor ?? state.Iterator;
    const processor = this.machine(raw, itemProcessorSchema, `the item processor of ${where}`);
    if (processor === undefined) return undefined;
    const config = itemProcessorSchema.parse(raw).ProcessorConfig;
    if (config?.Mode !== 'DISTRIBUTED') {
      if (state.ItemReader !== undefined)
        this.problems.push(`${where}: ItemReader needs the mode DISTRIBUTED`);
      return { ...state, processor };
    }
    const reader = state.ItemReader?.Resource;
    if (reader !== undefined && !/^arn:[^:]+:states:::s3:getObject$/.test(reader)) {
      this.problems.push(`${where}: the ItemReader ${reader} is not supported (s3:getObject is)`);
    }
    const label = state.Label ?? state.name.replaceAll(/[^A-Za-z0-9-_]/g, '').slice(0, 40);
    return { ...state, processor, distributed: { express: config.ExecutionType === 'EXPRESS', label } };
  }

  #checkFields(state: z.infer<typeof stateSchema>, where: string): void {
    if ('Next' in state || 'End' in state || !['Choice', 'Succeed', 'Fail'].includes(state.Type)) {
      const ends =
        ('Next' in state && state.Next !== undefined ? 1 : 0) + ('End' in state && state.End ? 1 : 0);
      if (ends !== 1) this.problems.push(`${where}: it needs either Next or End`);
    }
    for (const [field, value] of Object.entries(state)) {
      this.#attempt(where, () => checkField(state.Type, field, value));
    }
    if (state.Type === 'Wait') {
      const given = [state.Seconds, state.Timestamp, state.SecondsPath, state.TimestampPath];
      if (given.filter((value) => value !== undefined).length !== 1) {
        this.problems.push(`${where}: it needs one of Seconds, Timestamp, SecondsPath, TimestampPath`);
      }
    }
    for (const list of [catchers(state), 'Retry' in state ? state.Retry : []]) {
      for (const [index, { ErrorEquals }] of list.entries()) {
        const all = ErrorEquals.includes('States.ALL');
        if (all && (ErrorEquals.length > 1 || index < list.length - 1)) {
          this.problems.push(`${where}: States.ALL must stand alone and last`);
        }
      }
    }
  }

  #parse<T>(schema: z.ZodType<T>, raw: unknown, where: string): T | undefined {
    const result = schema.safeParse(raw);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const at = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
      const text =
        issue.code === 'unrecognized_keys' ? `${issue.keys.join(', ')} is not supported` : issue.message;
      this.problems.push(`${where}: ${at}${text}`);
    }
    return undefined;
  }

  #attempt<T>(where: string, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      this.problems.push(`${where}: ${message(error)}`);
      return undefined;
    }
  }
}

function catchers(state: z.infer<typeof stateSchema>) {
  return 'Catch' in state ? state.Catch : [];
}

function targets(state: State): string[] {
  const next = 'Next' in state && state.Next !== undefined ? [state.Next] : [];
  const caught = catchers(state).map((entry) => entry.Next);
  if (state.Type !== 'Choice') return [...next, ...caught];
  const chosen = state.Choices.map((rule) => String(rule.Next));
  return state.Default === undefined ? chosen : [...chosen, state.Default];
}

function checkField(type: State['Type'], field: string, value: unknown): void {
  if (field === 'ResultPath') checkPath(value, { reference: true, context: false });
  else if (field === 'Catch' && Array.isArray(value)) {
    for (const { ResultPath } of value) checkPath(ResultPath, { reference: true, context: false });
  } else if (field === 'ErrorPath' || field === 'CausePath') checkTemplateOrIntrinsic(value);
  else if (field.endsWith('Path')) checkPath(value, { reference: false, context: true });
  else if (field === 'ItemSelector' || (field === 'Parameters' && type === 'Map'))
    checkTemplate(asJson(value), true);
  else if (field === 'Parameters' || field === 'ResultSelector') checkTemplate(asJson(value), false);
  else if (field === 'ItemReader' && isJsonObject(value)) checkTemplate(asJson(value.Parameters), false);
}

function asJson(value: unknown): Json {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
