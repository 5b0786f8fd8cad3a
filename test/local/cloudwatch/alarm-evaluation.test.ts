import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decideState,
  evaluationRange,
  type MissingData,
} from '../../../local/cloudwatch/alarm-evaluation.ts';

/** As in CloudWatch's documentation: 0 within the threshold, X breaching, - missing; the latest last. */
const points = (text: string) => text.split(' ').map((point) => (point === '-' ? undefined : point === 'X'));
const treatments: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

describe('the documented examples', () => {
  it.each([
    ['0 - X - X', ['OK', 'OK', 'OK', 'OK']],
    ['0 - - - -', ['OK', 'OK', 'OK', 'OK']],
    ['- - - - -', ['INSUFFICIENT_DATA', undefined, 'ALARM', 'OK']],
    ['0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['- - X - -', ['ALARM', undefined, 'ALARM', 'OK']],
  ])('3 of 3, %s: %j for missing, ignore, breaching, notBreaching', (text, expected) => {
    expect(treatments.map((treatment) => decideState(points(text), 3, 3, treatment))).toEqual(expected);
  });

  it.each([
    ['0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
    ['0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
    ['- - - X -', ['ALARM', undefined, 'ALARM', 'OK']],
  ])('2 of 3, %s: %j for missing, ignore, breaching, notBreaching', (text, expected) => {
    expect(treatments.map((treatment) => decideState(points(text), 3, 2, treatment))).toEqual(expected);
  });

  it('do not raise an alarm prematurely: a lone, recent breaching value changes nothing', () => {
    for (const text of ['- - - - X', '- - - X -']) {
      expect(decideState(points(text), 3, 3, 'missing')).toBeUndefined();
      expect(decideState(points(text), 3, 3, 'ignore')).toBeUndefined();
    }
    expect(decideState(points('- - - X 0'), 3, 3, 'missing')).toBe('OK');
  });

  it('look at five periods for three', () => {
    expect(evaluationRange(3)).toBe(5);
  });
});

describe('any data', () => {
  const point = fc.constantFrom(true, false, undefined);
  const settings = fc.integer({ min: 1, max: 6 }).chain((needed) =>
    fc.record({
      needed: fc.constant(needed),
      toAlarm: fc.integer({ min: 1, max: needed }),
      data: fc.array(point, { minLength: evaluationRange(needed), maxLength: evaluationRange(needed) }),
      treatment: fc.constantFrom(...treatments),
    }),
  );

  it('without gaps is decided by the latest periods alone, whatever missing data would mean', () => {
    fc.assert(
      fc.property(settings, ({ needed, toAlarm, data, treatment }) => {
        const complete = data.map((each) => each ?? false);
        const breaching = complete.slice(-needed).filter(Boolean).length;
        expect(decideState(complete, needed, toAlarm, treatment)).toBe(breaching >= toAlarm ? 'ALARM' : 'OK');
      }),
    );
  });

  it('never ends an alarm by becoming worse', () => {
    fc.assert(
      fc.property(settings, fc.nat(), ({ needed, toAlarm, data, treatment }, at) => {
        const worse = data.map((each, index) => (index === at % data.length && each === false ? true : each));
        const before = decideState(data, needed, toAlarm, treatment);
        if (before === 'ALARM') expect(decideState(worse, needed, toAlarm, treatment)).toBe('ALARM');
      }),
    );
  });

  it('has no unknown state where missing data counts as good or bad', () => {
    fc.assert(
      fc.property(settings, ({ needed, toAlarm, data }) => {
        for (const treatment of ['breaching', 'notBreaching'] as const) {
          expect(['OK', 'ALARM']).toContain(decideState(data, needed, toAlarm, treatment));
        }
      }),
    );
  });
});
