import type { AlarmState } from './alarm-definition.ts';

/** What a composite alarm depends on. */
export type AlarmRule =
  | { kind: 'constant'; value: boolean }
  | { kind: 'state'; state: AlarmState; alarm: string }
  | { kind: 'not'; operand: AlarmRule }
  | { kind: 'and' | 'or'; left: AlarmRule; right: AlarmRule };

const token = /\s*([()]|"[^"]*"|'[^']*'|[A-Za-z0-9_:./-]+)/y;
const states: readonly AlarmState[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

/**
 * Parses the rule of a composite alarm: `ALARM("a") AND (NOT OK(b) OR FALSE)`; AND binds more tightly than OR, NOT most tightly.
 *
 * @param nameOf the name of an alarm that a rule names by its name or ARN.
 * @throws Error that says where it is not valid.
 */
export function parseRule(source: string, nameOf: (nameOrArn: string) => string): AlarmRule {
  const tokens = tokenize(source);
  let position = 0;
  const peek = () => tokens[position]?.toUpperCase();
  const fail = (): Error => new Error(`The rule ${source} is not valid at ${tokens[position] ?? 'its end'}.`);
  const expect = (text: string) => {
    if (peek() !== text) throw fail();
    position += 1;
  };

  const either = (): AlarmRule => {
    let left = both();
    while (peek() === 'OR') {
      position += 1;
      left = { kind: 'or', left, right: both() };
    }
    return left;
  };
  const both = (): AlarmRule => {
    let left = negated();
    while (peek() === 'AND') {
      position += 1;
      left = { kind: 'and', left, right: negated() };
    }
    return left;
  };
  const negated = (): AlarmRule => {
    if (peek() !== 'NOT') return primary();
    position += 1;
    return { kind: 'not', operand: negated() };
  };
  const primary = (): AlarmRule => {
    const next = peek();
    position += 1;
    if (next === 'TRUE' || next === 'FALSE') return { kind: 'constant', value: next === 'TRUE' };
    if (next === '(') {
      const inner = either();
      expect(')');
      return inner;
    }
    const state = states.find((each) => each === next);
    if (state === undefined) {
      position -= 1;
      throw fail();
    }
    expect('(');
    const alarm = tokens[position++]?.replaceAll(/^["']|["']$/g, '');
    if (alarm === undefined || alarm === '' || alarm === ')') throw fail();
    expect(')');
    return { kind: 'state', state, alarm: nameOf(alarm) };
  };

  const rule = either();
  if (position < tokens.length) throw fail();
  return rule;
}

/** Whether a rule holds while alarms are in these states. */
export function ruleHolds(rule: AlarmRule, stateOf: (alarm: string) => AlarmState): boolean {
  switch (rule.kind) {
    case 'constant':
      return rule.value;
    case 'state':
      return stateOf(rule.alarm) === rule.state;
    case 'not':
      return !ruleHolds(rule.operand, stateOf);
    case 'and':
      return ruleHolds(rule.left, stateOf) && ruleHolds(rule.right, stateOf);
    case 'or':
      return ruleHolds(rule.left, stateOf) || ruleHolds(rule.right, stateOf);
  }
}

/** The names of the alarms that a rule depends on, each once. */
export function alarmsOf(rule: AlarmRule): string[] {
  switch (rule.kind) {
    case 'constant':
      return [];
    case 'state':
      return [rule.alarm];
    case 'not':
      return alarmsOf(rule.operand);
    case 'and':
    case 'or':
      return [...new Set([...alarmsOf(rule.left), ...alarmsOf(rule.right)])];
  }
}

function tokenize(source: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < source.trimEnd().length) {
    const at = token.lastIndex;
    const found = token.exec(source)?.[1];
    if (found === undefined)
      throw new Error(`The rule ${source} is not valid at ${source.slice(at, at + 20)}.`);
    tokens.push(found);
  }
  return tokens;
}
