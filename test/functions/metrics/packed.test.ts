import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { packJson, unpackJson } from '../../../functions/metrics/packed.ts';

const schema = z.strictObject({ count: z.int() });

describe('what an item has packed', () => {
  it('is read as it was written, and refused when it is anything else or too much for the memory', () => {
    expect(unpackJson(packJson({ count: 7 }), schema)).toEqual({ count: 7 });
    expect(() => unpackJson(packJson({ count: 'many' }), schema)).toThrow(z.ZodError);
    expect(() => unpackJson(packJson({ count: 7 }).subarray(0, 12), schema)).toThrow(
      'unexpected end of file',
    );
    const padded = (spaces: number) => gzipSync(`${' '.repeat(spaces)}{"count":7}`);
    const mostSpaces = 16 * 1024 * 1024 - 11;
    expect(unpackJson(padded(mostSpaces), schema)).toEqual({ count: 7 });
    expect(() => unpackJson(padded(mostSpaces + 1), schema)).toThrow(RangeError);
  });
});
