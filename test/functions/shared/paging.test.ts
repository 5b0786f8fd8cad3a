import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as z from 'zod';
import { decodeToken, encodeToken } from '../../../functions/shared/paging.ts';

const position = z.strictObject({ pk: z.string(), sk: z.string() });
const refusal = expect.objectContaining({
  kind: 'invalid-request',
  errors: [{ field: 'query.nextToken', message: 'is not a token of this list' }],
});
const attempt = (token: string): unknown => {
  try {
    return decodeToken('backups', position, token);
  } catch (error) {
    return error;
  }
};

describe('the token of a page', () => {
  it('leads back to the position that it was made of', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (pk, sk) => {
        expect(decodeToken('backups', position, encodeToken('backups', { pk, sk }))).toEqual({ pk, sk });
      }),
    );
  });

  it('is refused by naming the field when it is of another list, changed or made up', () => {
    expect(attempt(encodeToken('schedules', { pk: 'a', sk: 'b' }))).toEqual(refusal);
    expect(attempt(encodeToken('backups', { pk: 'a' }))).toEqual(refusal);
    expect(attempt(encodeToken('backups', { pk: 'a', sk: 'b', more: 1 }))).toEqual(refusal);
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(attempt(token)).toEqual(refusal);
      }),
    );
  });

  it('is not needed for the first page', () => {
    expect(decodeToken('backups', position, undefined)).toBeUndefined();
  });
});
