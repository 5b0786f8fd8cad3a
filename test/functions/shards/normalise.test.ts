import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { normaliseStatement } from '../../../functions/shards/insights/normalise.ts';

describe('a statement that is shown', () => {
  it.each([
    [
      `SELECT * FROM "Users" WHERE name = 'O''Neil' AND id IN (1, -2.5e+3, $1)`,
      `SELECT * FROM "Users" WHERE name = ? AND id IN (?, -?, $1)`,
    ],
    [
      `select E'it\\'s', U&'\\0041', B'101', X'ff', N'n', 'a'::text, a1, t.c2`,
      'select ?, ?, ?, ?, ?, ?::text, a1, t.c2',
    ],
    ['SELECT $$secret$$, $a$ $$ $a$, x$1 -- secret\n, /* se /* cr */ et */ 0x1F', 'SELECT ?, ?, x$1 , ?'],
    [`SELECT 'a\\' || secret || 'b'`, 'SELECT ? …'],
    [`SELECT 'never ends`, 'SELECT ? …'],
    [`ALTER ROLE app PASSWORD 'secret'`, 'ALTER …'],
    ['SET app.token = secret', 'SET …'],
    [`/* trace='secret' */ (WITH a AS (VALUES (1)) SELECT FROM a)`, '(WITH a AS (VALUES (?)) SELECT FROM a)'],
    ['', 'STATEMENT …'],
  ])('has no literal and no comment: %s', (text, expected) => {
    expect(normaliseStatement(text)).toBe(expected);
  });

  it('never holds what was written as a literal or a comment, whatever stands around it', () => {
    const secret = 'S3CR3T';
    const hidden = fc.constantFrom(
      ...[
        `'${secret}'`,
        `E'\\'${secret}\\\\'`,
        `'it''s ${secret}'`,
        `U&'${secret}'`,
        `$$${secret}$$`,
        `$q$ $$${secret} $q$`,
      ],
      ...[
        `-- ${secret}\n`,
        `/* /* ${secret} */ ${secret} */`,
        `'\\${secret}'`,
        `'''${secret}'`,
        `1${secret}`,
        `'a\\' ${secret}'`,
      ],
    );
    const around = fc.constantFrom(
      ' ',
      ', ',
      '"a b"',
      '"a""b"',
      ' e1 ',
      '$1',
      ' AND x = ',
      '(',
      ')',
      '::text',
      '\n',
      ' - ',
      ' / ',
      '1.5',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(hidden, around), { maxLength: 12 }), (parts) => {
        // Put together as tokens: side by side, two of them would be another.
        expect(normaliseStatement(`SELECT ${parts.join(' ')}`)).not.toContain(secret);
      }),
    );
  });

  it('is shown up to a bound', () => {
    expect(normaliseStatement(`SELECT ${'a, '.repeat(10_000)}`).length).toBeLessThanOrEqual(1_001);
  });
});
