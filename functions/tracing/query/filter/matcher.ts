import { spanKinds } from '../../model.ts';
import type { SpanBlock } from '../../store/span-block.ts';
import type { Field, Filter, Operand, Operator, TagScope } from './filter.ts';
import { numberTest, type TextTest, textTest } from './text-test.ts';

/** Whether the span at a position of a block fulfils a filter; a constant where the whole block tells. */
type Test = boolean | ((index: number) => boolean);
type MakeTest = (block: SpanBlock) => Test;

/** Finds the spans of blocks that fulfil a filter. */
export class Matcher {
  readonly #make: MakeTest;

  /** @throws RangeError saying what of the filter cannot be. */
  constructor(filter: Filter) {
    this.#make = compiled(filter);
  }

  /** The positions of spans that fulfil it, in order. */
  matches(block: SpanBlock): number[] {
    const test = this.#make(block);
    if (test === false) return [];
    const all = Array.from({ length: block.length }, (_, index) => index);
    return test === true ? all : all.filter(test);
  }
}

function compiled(filter: Filter): MakeTest {
  if ('all' in filter) {
    const parts = filter.all.map(compiled);
    return (block) => every(parts, block);
  }
  if ('any' in filter) {
    const parts = filter.any.map(compiled);
    return (block) => some(parts, block);
  }
  return condition(filter.field, filter.operator, filter.operand);
}

function every(parts: readonly MakeTest[], block: SpanBlock): Test {
  const tests: ((index: number) => boolean)[] = [];
  for (const part of parts) {
    const test = part(block);
    if (test === false) return false;
    if (test !== true) tests.push(test);
  }
  return tests.length === 0 ? true : (index) => tests.every((test) => test(index));
}

function some(parts: readonly MakeTest[], block: SpanBlock): Test {
  const tests: ((index: number) => boolean)[] = [];
  for (const part of parts) {
    const test = part(block);
    if (test === true) return true;
    if (test !== false) tests.push(test);
  }
  return tests.length === 0 ? false : (index) => tests.some((test) => test(index));
}

function condition(field: Field, operator: Operator, operand: Operand): MakeTest {
  if (field.of === 'tag') return tagCondition(field, operator, operand);
  if (operand === null) throw new RangeError('nil is compared with tags only');
  switch (field.of) {
    case 'service': {
      const test = textTest(operator, operand);
      return (block) => test(block.service);
    }
    case 'operation':
    case 'traceId': {
      const test = textTest(operator, operand);
      const column = field.of;
      return (block) => {
        const known = remembered(block, test);
        return (index) => known(block.columns[column][index] ?? -1);
      };
    }
    case 'spanId': {
      const test = textTest(operator, operand);
      return (block) => (index) => test(block.columns.spanId[index] ?? '');
    }
    case 'kind': {
      const test = textTest(operator, operand);
      const kinds = spanKinds.map(test);
      return (block) => (index) => kinds[block.columns.kind[index] ?? 0] ?? false;
    }
    case 'durationMs': {
      const test = numberTest(operator, operand);
      return (block) => (index) => test(block.durationMs(index));
    }
    case 'error':
    case 'root': {
      const wanted = yesOrNo(operator, operand);
      if (field.of === 'error') return (block) => (index) => block.isError(index) === wanted;
      return (block) => (index) => (block.columns.parentSpanId[index] === '') === wanted;
    }
  }
}

function yesOrNo(operator: Operator, operand: Operand): boolean {
  if (typeof operand !== 'boolean' || (operator !== '=' && operator !== '!=')) {
    throw new RangeError(`${operator} does not fit what is either so or not`);
  }
  return (operator === '=') === operand;
}

function tagCondition(
  { scope, key }: { scope: TagScope; key: string },
  operator: Operator,
  operand: Operand,
): MakeTest {
  const absent = operand === null && operator === '=';
  if (operand === null && !absent && operator !== '!=') throw new RangeError(`${operator} does not fit nil`);
  const test: TextTest = operand === null ? () => true : textTest(operator, operand);
  return (block) => {
    const position = block.positionOf(key);
    if (position === undefined) return absent;
    const known = remembered(block, test);
    const { tags, resource, resources } = block.columns;
    return (index) => {
      const found =
        (scope !== 'resource' && hasTag(tags[index], position, known)) ||
        (scope !== 'span' && hasTag(resources[resource[index] ?? -1], position, known));
      return found !== absent;
    };
  };
}

function hasTag(
  pairs: readonly number[] | undefined,
  key: number,
  test: (position: number) => boolean,
): boolean {
  if (pairs === undefined) return false;
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    if (pairs[at] === key && test(pairs[at + 1] ?? -1)) return true;
  }
  return false;
}

/** Tests each text of a block once at most. */
function remembered({ columns: { texts } }: SpanBlock, test: TextTest): (position: number) => boolean {
  const answers = new Int8Array(texts.length);
  return (position) => {
    const text = texts[position];
    if (text === undefined) return false;
    if (answers[position] === 0) answers[position] = test(text) ? 1 : -1;
    return answers[position] === 1;
  };
}
