import { BlockList, isIP } from 'node:net';
import { wildcardMatches } from './wildcard.ts';

/** Whether a value fits; undefined stands for a field that is not there. */
export type LeafRule = (value: unknown) => boolean;

type TextTest = (value: string) => boolean;

/**
 * One entry of a pattern's array: a value, or a comparison such as `{ "prefix": "a" }`.
 *
 * @throws Error that says what is wrong with it.
 */
export function fieldRule(rule: unknown): LeafRule {
  if (isScalar(rule)) return (value) => value === rule;
  const [name, operand] = only(rule);
  switch (name) {
    case 'exists':
      if (typeof operand !== 'boolean') throw new Error('has an exists that is not true or false');
      return (value) => (value !== undefined) === operand;
    case 'numeric':
      return numeric(operand);
    case 'cidr':
      return cidr(operand);
    case 'anything-but':
      return anythingBut(operand);
    default:
      return ofText(textTest(name, operand));
  }
}

function ofText(test: TextTest): LeafRule {
  return (value) => typeof value === 'string' && test(value);
}

function textTest(name: string, operand: unknown): TextTest {
  switch (name) {
    case 'prefix':
      return affix(operand, (value, part) => value.startsWith(part));
    case 'suffix':
      return affix(operand, (value, part) => value.endsWith(part));
    case 'equals-ignore-case': {
      const wanted = text(operand).toLowerCase();
      return (value) => value.toLowerCase() === wanted;
    }
    case 'wildcard': {
      const pattern = text(operand);
      if (pattern.replaceAll(/\\./gs, '').includes('**')) throw new Error('has two wildcards in a row');
      return (value) => wildcardMatches(pattern, value);
    }
    default:
      throw new Error(`has an unrecognized match type ${name}`);
  }
}

function affix(operand: unknown, test: (value: string, part: string) => boolean): TextTest {
  if (typeof operand === 'string') return (value) => test(value, text(operand));
  const [name, inner] = only(operand);
  if (name !== 'equals-ignore-case') throw new Error(`has an unrecognized match type ${name}`);
  const part = text(inner).toLowerCase();
  return (value) => test(value.toLowerCase(), part);
}

function anythingBut(operand: unknown): LeafRule {
  const present = (test: (value: unknown) => boolean): LeafRule => {
    return (value) => value !== undefined && !test(value);
  };
  if (isScalar(operand)) return present((value) => value === operand);
  if (Array.isArray(operand)) {
    const values: unknown[] = operand;
    if (values.length === 0 || !values.every(isScalar))
      throw new Error('has an anything-but list of no values');
    return present((value) => values.some((each) => each === value));
  }
  const [name, inner] = only(operand);
  const tests = (Array.isArray(inner) ? inner : [inner]).map((each) => textTest(name, each));
  return present((value) => typeof value === 'string' && tests.some((test) => test(value)));
}

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

function numeric(operand: unknown): LeafRule {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
    throw new Error('has a numeric that is not like [">", 0] or [">", 0, "<=", 5]');
  }
  const limits = [operand.slice(0, 2), operand.slice(2)].filter((pair) => pair.length > 0);
  if (limits.length === 2 && !/^>=?,<=?$/.test(limits.map(([sign]) => sign).join(','))) {
    throw new Error('has a numeric range that does not go from > to <');
  }
  const tests = limits.map(([sign, limit]) => {
    const compare =
      typeof sign === 'string' && Object.hasOwn(comparisons, sign) ? comparisons[sign] : undefined;
    if (compare === undefined || typeof limit !== 'number') {
      throw new Error(`has a numeric with an unknown comparison ${sign} ${limit}`);
    }
    return (value: number) => compare(value, limit);
  });
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(operand: unknown): LeafRule {
  const [network = '', bits] = text(operand).split('/');
  const family = isIP(network);
  const prefix = bits !== undefined && /^\d+$/.test(bits) ? Number(bits) : Number.NaN;
  if (family === 0 || !(prefix <= (family === 4 ? 32 : 128)))
    throw new Error(`has a malformed CIDR ${operand}`);
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return (value) =>
    typeof value === 'string' && isIP(value) === family && list.check(value, family === 4 ? 'ipv4' : 'ipv6');
}

function only(rule: unknown): [string, unknown] {
  const entries =
    typeof rule === 'object' && rule !== null && !Array.isArray(rule) ? Object.entries(rule) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    throw new Error('has a comparison with not exactly one match type');
  return entry;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function text(operand: unknown): string {
  if (typeof operand !== 'string' || operand === '') throw new Error('has a comparison that needs a text');
  return operand;
}
