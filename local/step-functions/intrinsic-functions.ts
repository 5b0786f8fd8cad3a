import { createHash, randomInt, randomUUID } from 'node:crypto';
import { StatesError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject, parseJson, sameJson } from './json.ts';

/** The longest text that `Base64Encode`, `Base64Decode` and `Hash` take. */
const textLimit = 10_000;
const arrayLimit = 1000;

interface IntrinsicFunction {
  minArgs: number;
  maxArgs: number;
  run(args: readonly Json[]): Json;
}

const hashes: Record<string, string> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

function fixed(count: number, run: IntrinsicFunction['run']): IntrinsicFunction {
  return { minArgs: count, maxArgs: count, run };
}

/** The intrinsic functions of the states language but `States.Format`, which sees its template unescaped. */
export const intrinsicFunctions: Readonly<Record<string, IntrinsicFunction>> = {
  'States.StringToJson': fixed(1, ([value]) => {
    try {
      return parseJson(text(value));
    } catch (error) {
      throw failure(`States.StringToJson: ${error instanceof Error ? error.message : error}`);
    }
  }),
  'States.JsonToString': fixed(1, ([value]) => JSON.stringify(value)),
  'States.Array': { minArgs: 0, maxArgs: Number.POSITIVE_INFINITY, run: (args) => [...args] },
  'States.ArrayPartition': fixed(2, ([values, size]) => {
    const items = array(values);
    const length = integer(size);
    if (length < 1) throw failure('States.ArrayPartition: the chunk size must be 1 or more');
    return Array.from({ length: Math.ceil(items.length / length) }, (_, chunk) =>
      items.slice(chunk * length, (chunk + 1) * length),
    );
  }),
  'States.ArrayContains': fixed(2, ([values, wanted]) =>
    array(values).some((value) => sameJson(value, wanted ?? null)),
  ),
  'States.ArrayRange': fixed(3, ([first, last, step]) => {
    const [from, to, by] = [integer(first), integer(last), integer(step)];
    if (by === 0) throw failure('States.ArrayRange: the step must not be 0');
    const length = Math.max(0, Math.floor((to - from) / by) + 1);
    if (length > arrayLimit) throw failure(`States.ArrayRange: more than ${arrayLimit} elements`);
    return Array.from({ length }, (_, index) => from + index * by);
  }),
  'States.ArrayGetItem': fixed(2, ([values, index]) => {
    const item = array(values)[integer(index)];
    if (item === undefined) throw failure(`States.ArrayGetItem: there is no element ${index}`);
    return item;
  }),
  'States.ArrayLength': fixed(1, ([values]) => array(values).length),
  'States.ArrayUnique': fixed(1, ([values]) => {
    const unique: Json[] = [];
    for (const value of array(values))
      if (!unique.some((other) => sameJson(value, other))) unique.push(value);
    return unique;
  }),
  'States.Base64Encode': fixed(1, ([value]) => Buffer.from(short(value)).toString('base64')),
  'States.Base64Decode': fixed(1, ([value]) => Buffer.from(short(value), 'base64').toString()),
  'States.Hash': fixed(2, ([value, algorithm]) => {
    const name = hashes[text(algorithm)];
    if (name === undefined) throw failure(`States.Hash: unknown algorithm ${algorithm}`);
    return createHash(name).update(short(value)).digest('hex');
  }),
  'States.JsonMerge': fixed(3, ([left, right, deep]) => {
    if (deep !== false) throw failure('States.JsonMerge: only shallow merging (false) exists');
    return { ...object(left), ...object(right) };
  }),
  'States.MathRandom': fixed(2, ([from, to]) => randomInt(integer(from), integer(to))),
  'States.MathAdd': fixed(2, ([left, right]) => Math.round(number(left)) + Math.round(number(right))),
  'States.StringSplit': fixed(2, ([value, separators]) => {
    const set = new Set(text(separators));
    const parts = [''];
    for (const character of text(value)) {
      if (set.has(character)) parts.push('');
      else parts.push((parts.pop() ?? '') + character);
    }
    return parts.filter((part) => part !== '');
  }),
  'States.UUID': fixed(0, () => randomUUID()),
};

/** An error that `Retry` and `Catch` may match as `States.IntrinsicFailure`. */
export function failure(cause: string): StatesError {
  return new StatesError('States.IntrinsicFailure', cause);
}

function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw failure(`Expected a string, got ${JSON.stringify(value)}`);
  return value;
}

function short(value: Json | undefined): string {
  const result = text(value);
  if (result.length > textLimit) throw failure(`The text is longer than ${textLimit} characters`);
  return result;
}

function number(value: Json | undefined): number {
  if (typeof value !== 'number') throw failure(`Expected a number, got ${JSON.stringify(value)}`);
  return value;
}

function integer(value: Json | undefined): number {
  return Math.round(number(value));
}

function array(value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw failure(`Expected an array, got ${JSON.stringify(value)}`);
  return value;
}

function object(value: Json | undefined): JsonObject {
  if (!isJsonObject(value)) throw failure(`Expected an object, got ${JSON.stringify(value)}`);
  return value;
}
