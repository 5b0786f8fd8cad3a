import { fieldRule, type LeafRule } from './pattern-rules.ts';

/** A pattern that AWS would refuse, or that is not supported here; the message names the place. */
export class InvalidEventPattern extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidEventPattern';
  }
}

export type EventMatcher = (event: unknown) => boolean;

/**
 * Reads an event pattern.
 *
 * @param pattern as parsed from JSON.
 * @throws InvalidEventPattern
 */
export function compilePattern(pattern: unknown): EventMatcher {
  return objectMatcher(pattern, '');
}

function objectMatcher(pattern: unknown, path: string): EventMatcher {
  if (!isRecord(pattern)) throw invalid(path, 'must be an object or an array');
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw invalid(path, 'must not be an empty object');
  const matchers = fields.map(([name, inner]) => fieldMatcher(name, inner, path));
  // Fields of one pattern are looked for in one and the same element of an array.
  return (value) => candidates(value).some((candidate) => matchers.every((matches) => matches(candidate)));
}

function fieldMatcher(name: string, pattern: unknown, path: string): EventMatcher {
  const here = path === '' ? name : `${path}.${name}`;
  if (name === '$or') {
    if (!Array.isArray(pattern) || pattern.length === 0) throw invalid(here, 'must be a list of patterns');
    const alternatives = pattern.map((alternative) => objectMatcher(alternative, here));
    return (value) => alternatives.some((matches) => matches(value));
  }
  const matches = Array.isArray(pattern) ? leafMatcher(pattern, here) : objectMatcher(pattern, here);
  return (value) => matches(isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined);
}

function leafMatcher(rules: readonly unknown[], path: string): EventMatcher {
  if (rules.length === 0) throw invalid(path, 'must not be an empty array');
  const matchers: LeafRule[] = rules.map((rule) => {
    try {
      return fieldRule(rule);
    } catch (error) {
      throw invalid(path, error instanceof Error ? error.message : String(error));
    }
  });
  return (value) =>
    candidates(value).some((candidate) => {
      const leaf = isRecord(candidate) ? undefined : candidate;
      return matchers.some((matches) => matches(leaf));
    });
}

/** The values at a place: the elements of an array, however nested, count each by itself. */
function candidates(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [value];
  const elements = value.flat(Number.POSITIVE_INFINITY);
  return elements.length === 0 ? [undefined] : elements;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, reason: string): InvalidEventPattern {
  return new InvalidEventPattern(`Event pattern is not valid. Reason: ${path || 'the pattern'} ${reason}`);
}
