import { isJsonObject, type Json } from './json.ts';

type Segment =
  | { kind: 'name'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'names'; names: readonly string[] }
  | { kind: 'indexes'; indexes: readonly number[] }
  | { kind: 'slice'; from?: number; to?: number; step: number }
  | { kind: 'all' }
  | { kind: 'descend' };

/** A parsed JSONPath. */
export interface JsonPath {
  source: string;
  /** Whether it starts with `$$`: it is about the context object, not about the state's input. */
  ofContext: boolean;
  segments: readonly Segment[];
  /** Whether it can match one value at most. Others yield the array of all matches. */
  definite: boolean;
  /** Whether it is made of names and indexes only, as `ResultPath` needs it. */
  reference: boolean;
}

const cache = new Map<string, JsonPath>();

/**
 * Parses a JSONPath: names, indexes (also from the end), unions, slices, `*` and `..`.
 *
 * @throws Error that names what is wrong or not supported; filters `[?(…)]` and functions are not.
 */
export function parsePath(source: string): JsonPath {
  const known = cache.get(source);
  if (known !== undefined) return known;
  if (!source.startsWith('$')) throw new Error(`the JSONPath ${source} does not start with $`);
  const ofContext = source.startsWith('$$');
  const segments: Segment[] = [];
  let rest = source.slice(ofContext ? 2 : 1);
  while (rest !== '') {
    const [segment, length] = parseSegment(rest, source);
    segments.push(...segment);
    rest = rest.slice(length);
  }
  const definite = segments.every(({ kind }) => kind === 'name' || kind === 'index');
  const reference = segments.every((s) => s.kind === 'name' || (s.kind === 'index' && s.index >= 0));
  const path = { source, ofContext, segments, definite, reference };
  cache.set(source, path);
  return path;
}

function parseSegment(text: string, source: string): [Segment[], number] {
  const dotted = /^(\.\.?)(?:(\*)|([^\s.[\]()?*,:'"$@]+)(?!\())/u.exec(text);
  if (dotted !== null) {
    const [all, dots, star, name] = dotted;
    const last: Segment = star === undefined ? { kind: 'name', name: name ?? '' } : { kind: 'all' };
    return [dots === '..' ? [{ kind: 'descend' }, last] : [last], all.length];
  }
  const bracket = /^(\.\.)?\[((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*)\]/su.exec(text);
  if (bracket === null) throw new Error(`the JSONPath ${source} is not supported or not valid at ${text}`);
  const inner = parseBracket((bracket[2] ?? '').trim(), source);
  return [bracket[1] === undefined ? [inner] : [{ kind: 'descend' }, inner], bracket[0].length];
}

function parseBracket(inner: string, source: string): Segment {
  if (inner.startsWith('?')) throw new Error(`the JSONPath ${source} has a filter, which is not supported`);
  if (inner === '*') return { kind: 'all' };
  const slice = /^(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(\d+))?$/.exec(inner);
  if (slice !== null) {
    const [, from, to, step] = slice;
    const stride = step === undefined ? 1 : Number(step);
    if (stride === 0) throw new Error(`the JSONPath ${source} has a slice with step 0`);
    return {
      kind: 'slice',
      ...(from === undefined ? {} : { from: Number(from) }),
      ...(to === undefined ? {} : { to: Number(to) }),
      step: stride,
    };
  }
  const names = quotedNames(inner);
  const [first] = names;
  if (first !== undefined) {
    return names.length === 1 ? { kind: 'name', name: first } : { kind: 'names', names };
  }
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(inner)) {
    const indexes = inner.split(',').map(Number);
    const [index] = indexes;
    return indexes.length === 1 && index !== undefined
      ? { kind: 'index', index }
      : { kind: 'indexes', indexes };
  }
  throw new Error(`the JSONPath ${source} is not supported or not valid at [${inner}]`);
}

/** The names in `'a', "b"`; none when the text is something else. */
function quotedNames(text: string): string[] {
  const name = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(,|$)/suy;
  const names: string[] = [];
  while (name.lastIndex < text.length) {
    const match = name.exec(text);
    if (match === null) return [];
    names.push((match[1] ?? match[2] ?? '').replaceAll(/\\(.)/gsu, '$1'));
  }
  return names;
}

/**
 * What a path points to: a value, or the array of all matches of an indefinite path.
 *
 * @returns undefined when a definite path, or the definite beginning of another, leads nowhere.
 */
export function evaluatePath(path: JsonPath, root: Json): Json | undefined {
  let matches: Json[] = [root];
  let definite = true;
  for (const segment of path.segments) {
    if (definite && (segment.kind === 'name' || segment.kind === 'index')) {
      const [only] = step(matches[0] ?? null, segment);
      if (only === undefined) return undefined;
      matches = [only];
    } else {
      definite = false;
      matches = matches.flatMap((match) => step(match, segment));
    }
  }
  return path.definite ? matches[0] : matches;
}

function step(value: Json, segment: Segment): Json[] {
  switch (segment.kind) {
    case 'name':
      return member(value, segment.name);
    case 'names':
      return segment.names.flatMap((name) => member(value, name));
    case 'index':
      return element(value, segment.index);
    case 'indexes':
      return segment.indexes.flatMap((index) => element(value, index));
    case 'all':
      return children(value);
    case 'descend':
      return [value, ...children(value).flatMap((child) => step(child, segment))];
    case 'slice': {
      if (!Array.isArray(value)) return [];
      return value.slice(segment.from, segment.to).filter((_, position) => position % segment.step === 0);
    }
  }
}

function children(value: Json): Json[] {
  return Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
}

function member(value: Json, name: string): Json[] {
  const found = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return found === undefined ? [] : [found];
}

function element(value: Json, index: number): Json[] {
  const found = Array.isArray(value) ? value.at(index) : undefined;
  return found === undefined ? [] : [found];
}
