import { RE2JS } from 're2js';
import type { Operand, Operator } from './filter.ts';

/** The most characters of a pattern. */
export const maximumPattern = 256;

/** Whether texts fulfil a condition. */
export type TextTest = (text: string) => boolean;

/**
 * What an operator and an operand ask of a text. Numbers compare with texts that are numbers; patterns are RE2’s, match in
 * linear time, and have to match the whole text.
 *
 * @throws RangeError for a pattern that is none or too long, and for operators that do not fit the operand.
 */
export function textTest(operator: Operator, operand: Exclude<Operand, null>): TextTest {
  switch (operator) {
    case '=':
      return equality(operand);
    case '!=': {
      const equals = equality(operand);
      return (text) => !equals(text);
    }
    case '=~':
      return pattern(operand);
    case '!~': {
      const matches = pattern(operand);
      return (text) => !matches(text);
    }
    case '>':
    case '>=':
    case '<':
    case '<=': {
      const compare = numberTest(operator, operand);
      return (text) => text.trim() !== '' && compare(Number(text));
    }
  }
}

/**
 * What an operator and an operand ask of a number.
 *
 * @throws RangeError for patterns, and operands that are no number.
 */
export function numberTest(operator: Operator, operand: Exclude<Operand, null>): (number: number) => boolean {
  if (typeof operand !== 'number') throw new RangeError(`${operator} compares numbers`);
  switch (operator) {
    case '=':
      return (number) => number === operand;
    case '!=':
      return (number) => number !== operand;
    case '>':
      return (number) => number > operand;
    case '>=':
      return (number) => number >= operand;
    case '<':
      return (number) => number < operand;
    case '<=':
      return (number) => number <= operand;
    case '=~':
    case '!~':
      throw new RangeError(`${operator} compares texts`);
  }
}

function equality(operand: Exclude<Operand, null>): TextTest {
  if (typeof operand !== 'number') return (text) => text === String(operand);
  return (text) => text.trim() !== '' && Number(text) === operand;
}

function pattern(operand: Exclude<Operand, null>): TextTest {
  if (typeof operand !== 'string') throw new RangeError('a pattern is a text');
  if (operand.length > maximumPattern) {
    throw new RangeError(`a pattern has at most ${maximumPattern} characters`);
  }
  const compiled = compile(operand);
  return (text) => compiled.matches(text);
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text, RE2JS.DOTALL);
  } catch (error) {
    throw new RangeError(`the pattern is none: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    });
  }
}
