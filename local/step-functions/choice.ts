import { wildcardMatches } from '../events/wildcard.ts';
import type { Scope } from './data-flow.ts';
import { runtimeError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { evaluatePath, parsePath } from './json-path.ts';

type Comparison = (value: Json, operand: Json) => boolean;

const timestampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

const orderings: Readonly<Record<string, (order: number) => boolean>> = {
  Equals: (order) => order === 0,
  LessThan: (order) => order < 0,
  LessThanEquals: (order) => order <= 0,
  GreaterThan: (order) => order > 0,
  GreaterThanEquals: (order) => order >= 0,
};

/** How two values of a kind are ordered; undefined when one of them is not of that kind. */
const kinds: Readonly<Record<string, (a: Json, b: Json) => number | undefined>> = {
  String: (a, b) =>
    typeof a === 'string' && typeof b === 'string' ? (a < b ? -1 : a > b ? 1 : 0) : undefined,
  Numeric: (a, b) => (typeof a === 'number' && typeof b === 'number' ? a - b : undefined),
  Timestamp: (a, b) => (isTimestamp(a) && isTimestamp(b) ? Date.parse(a) - Date.parse(b) : undefined),
};

const comparisons: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ...Object.entries(kinds).flatMap(([kind, order]) =>
    Object.entries(orderings).map(([name, holds]): [string, Comparison] => [
      kind + name,
      (value, operand) => {
        const result = order(value, operand);
        return result !== undefined && holds(result);
      },
    ]),
  ),
  ['BooleanEquals', (value, operand) => typeof value === 'boolean' && value === operand],
  ['StringMatches', (value, operand) => typeof value === 'string' && wildcardMatches(String(operand), value)],
  ['IsNull', (value, operand) => (value === null) === operand],
  ['IsString', (value, operand) => (typeof value === 'string') === operand],
  ['IsNumeric', (value, operand) => (typeof value === 'number') === operand],
  ['IsBoolean', (value, operand) => (typeof value === 'boolean') === operand],
  ['IsTimestamp', (value, operand) => isTimestamp(value) === operand],
]);

const withoutPathForm = new Set([
  'StringMatches',
  'IsNull',
  'IsString',
  'IsNumeric',
  'IsBoolean',
  'IsTimestamp',
]);

/** Whether a rule of a `Choice` state holds. @throws States.Runtime when a path leads nowhere. */
export function ruleHolds(rule: JsonObject, scope: Scope): boolean {
  if (Array.isArray(rule.And))
    return rule.And.every((inner) => isJsonObject(inner) && ruleHolds(inner, scope));
  if (Array.isArray(rule.Or)) return rule.Or.some((inner) => isJsonObject(inner) && ruleHolds(inner, scope));
  if (isJsonObject(rule.Not)) return !ruleHolds(rule.Not, scope);
  const variable = String(rule.Variable);
  if (rule.IsPresent !== undefined) return (find(variable, scope) !== undefined) === rule.IsPresent;
  const operator = operatorOf(rule);
  const value = required(variable, scope);
  const comparison = comparisons.get(operator);
  if (comparison !== undefined) return comparison(value, rule[operator] ?? null);
  const byPath = comparisons.get(operator.slice(0, -'Path'.length));
  if (byPath === undefined) throw runtimeError(`There is no comparison ${operator}`);
  return byPath(value, required(String(rule[operator]), scope));
}

/**
 * Checks a rule's form.
 *
 * @param top whether the rule has a `Next`.
 * @throws Error naming what is wrong.
 */
export function checkRule(rule: JsonObject, top: boolean): void {
  if (top !== (typeof rule.Next === 'string')) {
    throw new Error(top ? 'a choice has no Next' : 'only the outermost rule of a choice may have a Next');
  }
  const list = rule.And ?? rule.Or;
  if (list !== undefined || rule.Not !== undefined) {
    const inner = list === undefined ? [rule.Not] : list;
    if (!Array.isArray(inner) || inner.length === 0) throw new Error('And and Or take a list of rules');
    for (const nested of inner) {
      if (!isJsonObject(nested)) throw new Error('a rule is not an object');
      checkRule(nested, false);
    }
    return;
  }
  if (typeof rule.Variable !== 'string') throw new Error('a rule has no Variable');
  parsePath(rule.Variable);
  const operator = operatorOf(rule);
  if (operator === 'IsPresent' || comparisons.has(operator)) return;
  const compared = operator.endsWith('Path') ? operator.slice(0, -'Path'.length) : '';
  if (!comparisons.has(compared) || withoutPathForm.has(compared)) {
    throw new Error(`the comparison ${operator} is not supported`);
  }
  parsePath(String(rule[operator]));
}

function operatorOf(rule: JsonObject): string {
  const operators = Object.keys(rule).filter((key) => !['Variable', 'Next', 'Comment'].includes(key));
  const [operator] = operators;
  if (operator === undefined || operators.length > 1) {
    throw new Error(`a rule needs one comparison, it has ${operators.join(', ') || 'none'}`);
  }
  return operator;
}

function find(source: string, scope: Scope): Json | undefined {
  const path = parsePath(source);
  return evaluatePath(path, path.ofContext ? scope.context : scope.input);
}

function required(source: string, scope: Scope): Json {
  const value = find(source, scope);
  if (value === undefined) {
    throw runtimeError(
      `Invalid path '${source}': The choice state's condition path references an invalid value.`,
    );
  }
  return value;
}

function isTimestamp(value: Json): value is string {
  return typeof value === 'string' && timestampPattern.test(value) && !Number.isNaN(Date.parse(value));
}
