import { payloadLimitBytes, runtimeError, StatesError } from './errors.ts';
import { failure, intrinsicFunctions } from './intrinsic-functions.ts';
import { type Expression, parseIntrinsic } from './intrinsic-syntax.ts';
import { byteLength, isJsonObject, type Json } from './json.ts';
import { evaluatePath, type JsonPath, parsePath } from './json-path.ts';

/** What paths of a state can see. */
export interface Scope {
  /** What `$` stands for. */
  input: Json;
  /** What `$$` stands for. */
  context: Json;
}

/** The value a path points to. @throws States.Runtime when it points to nothing. */
export function resolvePath(source: string, scope: Scope): Json {
  return required(parsePath(source), scope);
}

function required(path: JsonPath, scope: Scope): Json {
  const value = evaluatePath(path, path.ofContext ? scope.context : scope.input);
  if (value === undefined) {
    throw runtimeError(`The JSONPath '${path.source}' could not be found in its input.`);
  }
  return value;
}

/** `InputPath` and `OutputPath`: null stands for an empty object, undefined for everything. */
export function selectPath(path: string | null | undefined, scope: Scope): Json {
  if (path === null) return {};
  return path === undefined ? scope.input : resolvePath(path, scope);
}

/** `Parameters`, `ItemSelector` and `ResultSelector`: members named `….$` are evaluated. */
export function fillTemplate(template: Json, scope: Scope): Json {
  if (Array.isArray(template)) return template.map((element) => fillTemplate(element, scope));
  if (!isJsonObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) =>
      key.endsWith('.$') && typeof value === 'string'
        ? [key.slice(0, -2), evaluate(value, scope)]
        : [key, fillTemplate(value, scope)],
    ),
  );
}

/** The value of a path or an intrinsic function. */
export function evaluate(source: string, scope: Scope): Json {
  return source.startsWith('$') ? resolvePath(source, scope) : compute(parseIntrinsic(source), scope);
}

function compute(expression: Expression, scope: Scope): Json {
  switch (expression.kind) {
    case 'text':
      return expression.raw.replaceAll(/\\(.)/gsu, '$1');
    case 'literal':
      return expression.value;
    case 'path':
      return required(expression.path, scope);
    case 'call': {
      if (expression.name === 'States.Format') return format(expression.args, scope);
      const intrinsic = intrinsicFunctions[expression.name];
      if (intrinsic === undefined) throw failure(`There is no function ${expression.name}`);
      return intrinsic.run(expression.args.map((argument) => compute(argument, scope)));
    }
  }
}

function format([template, ...args]: readonly Expression[], scope: Scope): string {
  const pattern =
    template?.kind === 'text' ? template.raw : template === undefined ? '' : compute(template, scope);
  if (typeof pattern !== 'string') throw failure('States.Format: the template is not a string');
  const values = args.map((argument) => compute(argument, scope));
  let used = 0;
  const text = pattern.replaceAll(/\\(.)|\{\}/gsu, (match, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = values[used++];
    if (value === undefined) throw failure('States.Format: fewer arguments than {}');
    if (typeof value === 'object' && value !== null) {
      throw failure(`States.Format: ${match} cannot show an array or an object`);
    }
    return String(value);
  });
  if (used !== values.length) throw failure('States.Format: more arguments than {}');
  return text;
}

/**
 * `ResultPath`: where a result goes in the state's input. undefined and `$` replace the input,
 * null keeps it.
 *
 * @throws States.ResultPathMatchFailure when the input has something there that cannot hold it.
 */
export function placeResult(path: string | null | undefined, input: Json, result: Json): Json {
  if (path === null) return input;
  return path === undefined ? result : place(parsePath(path).segments, input, result);
}

function place(segments: JsonPath['segments'], target: Json | undefined, result: Json): Json {
  const [segment, ...rest] = segments;
  if (segment === undefined) return result;
  if (segment.kind === 'name' && (target === undefined || isJsonObject(target))) {
    const held =
      target !== undefined && Object.hasOwn(target, segment.name) ? target[segment.name] : undefined;
    return { ...target, [segment.name]: place(rest, held, result) };
  }
  if (segment.kind === 'index' && Array.isArray(target) && segment.index < target.length) {
    return target.with(segment.index, place(rest, target[segment.index], result));
  }
  throw new StatesError(
    'States.ResultPathMatchFailure',
    'The ResultPath does not fit the input of the state.',
  );
}

/** Hands a value on. @throws States.DataLimitExceeded when it is larger than a payload may be. */
export function limited(value: Json, what: string): Json {
  if (byteLength(value) <= payloadLimitBytes) return value;
  throw new StatesError(
    'States.DataLimitExceeded',
    `${what} has a size exceeding the maximum number of bytes service limit (${payloadLimitBytes}).`,
  );
}
