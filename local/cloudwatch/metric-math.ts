import { type MathNode, parseMath } from './expression-syntax.ts';

/** Values of periods one after the other; undefined where there is none. */
export type Series = readonly (number | undefined)[];
/** A number, one series, or several. */
export type MathValue = number | Series | readonly Series[];

export interface MathScope {
  /** Number of periods of every series. */
  length: number;
  periodSeconds: number;
  /** A series by the id of its query. @throws Error when there is none */
  series(id: string): MathValue;
  /** All metrics, for `METRICS()`. */
  metrics(): readonly Series[];
}

type Reduce = (values: readonly number[]) => number;
const reducers: Readonly<Record<string, Reduce>> = {
  SUM: (values) => values.reduce((total, value) => total + value, 0),
  AVG: (values) => values.reduce((total, value) => total + value, 0) / values.length,
  MIN: (values) => Math.min(...values),
  MAX: (values) => Math.max(...values),
};
const eachValue: Readonly<Record<string, (value: number) => number>> = {
  ABS: Math.abs,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
};
const operators: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '^': (left, right) => left ** right,
  '==': (left, right) => Number(left === right),
  '!=': (left, right) => Number(left !== right),
  '<': (left, right) => Number(left < right),
  '<=': (left, right) => Number(left <= right),
  '>': (left, right) => Number(left > right),
  '>=': (left, right) => Number(left >= right),
  AND: (left, right) => Number(left !== 0 && right !== 0),
  '&&': (left, right) => Number(left !== 0 && right !== 0),
  OR: (left, right) => Number(left !== 0 || right !== 0),
  '||': (left, right) => Number(left !== 0 || right !== 0),
};
const functions = new Set([
  ...Object.keys(reducers),
  ...Object.keys(eachValue),
  'IF',
  'FILL',
  'METRICS',
  'RATE',
  'DIFF',
  'PERIOD',
]);

/**
 * The ids that an expression uses.
 *
 * @throws Error for expressions that are not valid, or that use functions not supported here, by name.
 */
export function checkMath(source: string): string[] {
  const ids: string[] = [];
  const visit = (node: MathNode): void => {
    if (node.kind === 'name' && node.name === 'LINEAR') throw new Error('FILL with LINEAR is not supported.');
    if (node.kind === 'name' && node.name !== 'REPEAT') ids.push(node.name);
    if (node.kind === 'call') {
      if (!functions.has(node.name))
        throw new Error(`The function ${node.name} of metric math is not supported.`);
      if (node.name === 'METRICS' && node.args.length > 0)
        throw new Error('METRICS(…) with a text is not supported.');
      node.args.forEach(visit);
    }
    if (node.kind === 'list') node.items.forEach(visit);
    if (node.kind === 'negate') visit(node.operand);
    if (node.kind === 'binary') [node.left, node.right].forEach(visit);
  };
  visit(parseMath(source));
  return ids;
}

/** Evaluates an expression that {@link checkMath} has accepted. @throws Error on operands that do not fit */
export function evaluateMath(source: string, scope: MathScope): MathValue {
  return compute(parseMath(source), scope);
}

function compute(node: MathNode, scope: MathScope): MathValue {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'name':
      return scope.series(node.name);
    case 'list':
      return node.items.map((item) => one(compute(item, scope), scope));
    case 'negate':
      return combine(-1, compute(node.operand, scope), (sign, value) => sign * value);
    case 'binary': {
      const operator = operators[node.operator];
      if (operator === undefined) throw new Error(`The operator ${node.operator} is not supported.`);
      return combine(compute(node.left, scope), compute(node.right, scope), operator);
    }
    case 'call':
      return call(node.name, node.args, scope);
  }
}

function call(name: string, args: readonly MathNode[], scope: MathScope): MathValue {
  if (name === 'METRICS') return scope.metrics();
  const [first, second, third] = args;
  if (first === undefined) throw new Error(`${name} needs an argument.`);
  const value = compute(first, scope);
  const reduce = reducers[name];
  if (reduce !== undefined) return reduced(value, reduce, scope);
  const change = eachValue[name];
  if (change !== undefined) return combine(0, value, (_, each) => change(each));
  if (name === 'PERIOD') return scope.periodSeconds;
  if (name === 'FILL') return filled(one(value, scope), second, scope);
  if (name === 'IF') return chosen(value, second, third, scope);
  const perSecond = name === 'RATE' ? scope.periodSeconds : 1;
  const series = one(value, scope);
  return series.map((each, index) => defined((a, b) => (b - a) / perSecond)(series[index - 1], each));
}

/** Over several series: period by period. Over one: all of its values. */
function reduced(value: MathValue, reduce: Reduce, scope: MathScope): MathValue {
  if (typeof value === 'number') return value;
  if (!isMany(value)) {
    const values = value.filter((each) => each !== undefined);
    return values.length === 0 ? one(Number.NaN, scope) : reduce(values);
  }
  return Array.from({ length: scope.length }, (_, index) => {
    const values = value.map((series) => series[index]).filter((each) => each !== undefined);
    return values.length === 0 ? undefined : reduce(values);
  });
}

function filled(series: Series, filler: MathNode | undefined, scope: MathScope): Series {
  if (filler?.kind === 'name' && filler.name === 'REPEAT') {
    let last: number | undefined;
    return series.map((value) => {
      last = value ?? last;
      return last;
    });
  }
  if (filler === undefined) throw new Error('FILL needs a filler.');
  const replacement = one(compute(filler, scope), scope);
  return series.map((value, index) => value ?? replacement[index]);
}

function chosen(
  condition: MathValue,
  yes: MathNode | undefined,
  no: MathNode | undefined,
  scope: MathScope,
): MathValue {
  const branch = (node: MathNode | undefined) => (node === undefined ? [] : one(compute(node, scope), scope));
  const [whenTrue, whenFalse] = [branch(yes), branch(no)];
  return one(condition, scope).map((value, index) => {
    if (value === undefined) return undefined;
    return value !== 0 ? whenTrue[index] : whenFalse[index];
  });
}

function combine(
  left: MathValue,
  right: MathValue,
  operator: (left: number, right: number) => number,
): MathValue {
  if (isMany(left)) return left.map((series) => single(combine(series, right, operator)));
  if (isMany(right)) return right.map((series) => single(combine(left, series, operator)));
  if (typeof left === 'number' && typeof right === 'number') return operator(left, right);
  const length = typeof left === 'number' ? (typeof right === 'number' ? 0 : right.length) : left.length;
  const at = (value: number | Series, index: number) => (typeof value === 'number' ? value : value[index]);
  return Array.from({ length }, (_, index) => defined(operator)(at(left, index), at(right, index)));
}

/** No value where one is missing, or where the result is none (a division by zero). */
function defined(operator: (left: number, right: number) => number) {
  return (left: number | undefined, right: number | undefined): number | undefined => {
    if (left === undefined || right === undefined) return undefined;
    const result = operator(left, right);
    return Number.isFinite(result) ? result : undefined;
  };
}

/** One series; a number stands for itself in every period. */
export function one(value: MathValue, { length }: Pick<MathScope, 'length'>): Series {
  if (typeof value !== 'number') return single(value);
  return Array.from({ length }, () => (Number.isFinite(value) ? value : undefined));
}

function single(value: MathValue): Series {
  if (typeof value === 'number' || isMany(value)) throw new Error('Expected one time series.');
  return value;
}

function isMany(value: MathValue): value is readonly Series[] {
  return typeof value !== 'number' && value.some((each) => Array.isArray(each));
}
