import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { combineDigests, RowDigest } from '../../../functions/recovery/digest.ts';

const rows = fc.array(
  fc.string({ unit: 'binary', maxLength: 40 }).map((row) => `${row.replaceAll('\n', '')}\n`),
);

function digestOf(text: string, cuts: readonly number[] = []): RowDigest {
  const bytes = Buffer.from(text);
  const digest = new RowDigest();
  let start = 0;
  for (const cut of [...cuts, bytes.length].map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b)) {
    digest.update(bytes.subarray(start, cut));
    start = cut;
  }
  return digest;
}

describe('the digest of rows', () => {
  it('is the sum of the SHA-256 of each line, modulo 2^256', () => {
    const sha = (line: string) => BigInt(`0x${createHash('sha256').update(line).digest('hex')}`);
    const sum = (sha('a\n') + sha('b\n') + sha('b\n') + sha('\n')) % 2n ** 256n;
    expect(digestOf('a\nb\nb\n\n').digest).toBe(sum.toString(16).padStart(64, '0'));
    expect(digestOf('').digest).toBe('0'.repeat(64));
  });

  it('does not depend on the order of rows or on how the text was cut', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(2_000)), fc.infiniteStream(fc.nat()), (lines, cuts, random) => {
        const shuffled = lines
          .map((line) => ({ line, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ line }) => line);
        const digest = digestOf(shuffled.join(''), cuts);
        expect(digest.digest).toBe(digestOf(lines.join('')).digest);
        expect(digest.rows).toBe(lines.length);
        expect(digest.complete).toBe(true);
      }),
    );
  });

  it('changes when a row is there once more, once less, or is another', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.string(), (lines, at, other) => {
        fc.pre(lines.length > 0);
        const index = at % lines.length;
        const line = lines[index] ?? '';
        const whole = digestOf(lines.join('')).digest;
        expect(digestOf([...lines, line].join('')).digest).not.toBe(whole);
        expect(digestOf(lines.toSpliced(index, 1).join('')).digest).not.toBe(whole);
        const changed = `${line.slice(0, -1)}${other.replaceAll('\n', '')}x\n`;
        expect(digestOf(lines.with(index, changed).join('')).digest).not.toBe(whole);
      }),
    );
  });

  it('of parts adds up to the digest of the whole', () => {
    fc.assert(
      fc.property(rows, rows, (one, other) => {
        const parts = [one, other].map((lines) => digestOf(lines.join('')).digest);
        expect(combineDigests(parts)).toBe(digestOf([...one, ...other].join('')).digest);
      }),
    );
  });

  it('notices a last line without an end', () => {
    expect(digestOf('a\nb').complete).toBe(false);
    expect(digestOf('a\nb').rows).toBe(1);
  });
});
