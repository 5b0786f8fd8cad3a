import { isKnownConditionKey } from './condition-keys.ts';
import { matchesArn, matchesGlob } from './glob.ts';

/** Condition keys of a request in lower case; a key that is not there is absent. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

/** Whether one value of the request matches one value of the policy. */
type Comparison = (policyValue: string, requestValue: string) => boolean;

interface Operator {
  compare: Comparison;
  /** `StringNotEquals` and its like hold when no policy value matches. */
  negated?: true;
}

const equals: Comparison = (policy, request) => policy === request;
const equalsIgnoringCase: Comparison = (policy, request) => policy.toLowerCase() === request.toLowerCase();
const numeric = (compare: (policy: number, request: number) => boolean): Operator => ({
  compare: (policy, request) => compare(Number(policy), Number(request)),
});
const date = (compare: (policy: number, request: number) => boolean): Operator => ({
  compare: (policy, request) => compare(time(policy), time(request)),
});

/** The operators the local runtime knows; any other is refused when a policy is set. */
const operators: Readonly<Record<string, Operator>> = {
  StringEquals: { compare: equals },
  StringNotEquals: { compare: equals, negated: true },
  StringEqualsIgnoreCase: { compare: equalsIgnoringCase },
  StringNotEqualsIgnoreCase: { compare: equalsIgnoringCase, negated: true },
  StringLike: { compare: matchesGlob },
  StringNotLike: { compare: matchesGlob, negated: true },
  ArnEquals: { compare: matchesArn },
  ArnLike: { compare: matchesArn },
  ArnNotEquals: { compare: matchesArn, negated: true },
  ArnNotLike: { compare: matchesArn, negated: true },
  Bool: { compare: equalsIgnoringCase },
  NumericEquals: numeric((policy, request) => request === policy),
  NumericNotEquals: { ...numeric((policy, request) => request === policy), negated: true },
  NumericLessThan: numeric((policy, request) => request < policy),
  NumericLessThanEquals: numeric((policy, request) => request <= policy),
  NumericGreaterThan: numeric((policy, request) => request > policy),
  NumericGreaterThanEquals: numeric((policy, request) => request >= policy),
  DateEquals: date((policy, request) => request === policy),
  DateNotEquals: { ...date((policy, request) => request === policy), negated: true },
  DateLessThan: date((policy, request) => request < policy),
  DateLessThanEquals: date((policy, request) => request <= policy),
  DateGreaterThan: date((policy, request) => request > policy),
  DateGreaterThanEquals: date((policy, request) => request >= policy),
};

/** One line of a policy's `Condition`, ready to be asked. */
export type Condition = (context: RequestContext) => boolean;

/**
 * Reads one operator with one key and its values. Throws an `Error` that names what the local
 * runtime does not know, instead of ignoring it.
 */
export function parseCondition(name: string, key: string, values: readonly string[]): Condition {
  if (!isKnownConditionKey(key)) {
    throw new Error(`the local runtime does not know the condition key ${key}`);
  }
  const lowerKey = key.toLowerCase();
  if (name === 'Null') return (context) => values.includes(context.has(lowerKey) ? 'false' : 'true');
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const operatorName = match?.[2] ?? '';
  const operator = Object.hasOwn(operators, operatorName) ? operators[operatorName] : undefined;
  if (!operator) throw new Error(`the local runtime does not know the condition operator ${name}`);
  checkValues(operatorName, values);
  const holds = holdsFor(operator, values);
  const [quantifier, ifExists] = [match?.[1], match?.[3] !== undefined];
  return (context) => {
    const requestValues = context.get(lowerKey);
    if (requestValues === undefined) {
      return (
        ifExists || quantifier === 'ForAllValues' || (quantifier === undefined && operator.negated === true)
      );
    }
    if (quantifier === 'ForAllValues') return requestValues.every(holds);
    if (quantifier === 'ForAnyValue') return requestValues.some(holds);
    return operator.negated ? requestValues.every(holds) : requestValues.some(holds);
  };
}

function holdsFor(operator: Operator, values: readonly string[]): (requestValue: string) => boolean {
  return (requestValue) =>
    values.some((value) => operator.compare(value, requestValue)) !== (operator.negated === true);
}

function checkValues(operator: string, values: readonly string[]): void {
  for (const value of values) {
    if (operator.startsWith('Numeric') && !Number.isFinite(Number(value))) {
      throw new Error(`${operator} compares numbers, not '${value}'`);
    }
    if (operator.startsWith('Date') && Number.isNaN(time(value))) {
      throw new Error(`${operator} compares dates, not '${value}'`);
    }
  }
}

/** Milliseconds since the epoch of an ISO date or of seconds since the epoch. */
function time(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}
