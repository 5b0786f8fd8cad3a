import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateKey } from '../../../functions/access/keys/api-keys.ts';
import { redact, redactError } from '../../../functions/shared/redact.ts';

describe('redacting', () => {
  it('takes API keys out of any text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const { key } = generateKey();
        expect(redact(`${before} ${key} ${after}`)).not.toContain(key.slice(13));
      }),
    );
  });

  it('takes signatures and passwords out of URLs, and leaves the rest', () => {
    const url =
      'https://bucket.s3.amazonaws.com/key?X-Amz-Date=1&X-Amz-Signature=abcdef&X-Amz-Security-Token=t%2F&x=1';
    expect(redact(url)).toBe(
      'https://bucket.s3.amazonaws.com/key?X-Amz-Date=1&X-Amz-Signature=…&X-Amz-Security-Token=…&x=1',
    );
    expect(redact('postgresql://user:p:w@host:5432/db')).toBe('postgresql://user:…@host:5432/db');
    expect(redact('at https://host:443/a and mail@example.com')).toBe(
      'at https://host:443/a and mail@example.com',
    );
  });

  it('reaches the causes of an error, also when they go in a circle', () => {
    const cause = new Error('postgresql://user:secret@host');
    const error = new Error('outer', { cause });
    cause.cause = error;
    redactError(error);
    expect(`${cause.message} ${cause.stack}`).not.toContain('secret');
  });
});
