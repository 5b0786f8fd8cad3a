import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonErrorPosition, maximumDepth, parseJson } from '../../../functions/shared/json-body.ts';

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** JSON texts with one character put in, taken out or replaced. */
const nearlyJson = fc
  .tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', '"', '}', ']', ',', ':', '1', 'x', '\n', '\\', '\u0001', '-', '.'),
    fc.nat(1),
  )
  .map(([text, at, insert, remove]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + insert + text.slice(index + remove);
  });

describe('parsing a JSON body', () => {
  it('finds an error exactly where JSON.parse finds one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), nearlyJson, fc.string()), (text) => {
        expect(jsonErrorPosition(text) === undefined).toBe(parses(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('names a position up to which the text could still have become JSON', () => {
    const cases: [string, string][] = [
      ['{"type": full}', 'is not JSON at position 9 (line 1, column 10)'],
      ['{"a": 1,}', 'is not JSON at position 8 (line 1, column 9)'],
      ['{\n  "a": 1\n  "b": 2\n}', 'is not JSON at position 13 (line 3, column 3)'],
      ['{"a": [1, 2', 'ends too early at position 11 (line 1, column 12)'],
      ['{"a": 1} extra', 'is not JSON at position 9 (line 1, column 10)'],
      ["{'a': 1}", 'is not JSON at position 1 (line 1, column 2)'],
      ['   ', 'ends too early at position 3 (line 1, column 4)'],
    ];
    for (const [text, message] of cases) expect(parseJson(text)).toEqual({ ok: false, message });
  });

  it('refuses nesting that goes too deep, and takes nesting that does not', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(parseJson(nested(maximumDepth)).ok).toBe(true);
    expect(parseJson(nested(maximumDepth + 1))).toEqual({
      ok: false,
      message: `is nested deeper than ${maximumDepth} levels`,
    });
    expect(parseJson(nested(200_000)).ok).toBe(false);
  });

  it('finds an error at the end of a large text', () => {
    const large = `{"text": "${'x'.repeat(1_000_000)}", broken}`;
    expect(parseJson(large)).toEqual({
      ok: false,
      message: 'is not JSON at position 1000013 (line 1, column 1000014)',
    });
  });
});
