import { createHash, randomBytes } from 'node:crypto';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { segmentBytesOf, uploadPartBytesOf } from '../../../../functions/recovery/import/model.ts';
import { segmentsOf } from '../../../../functions/recovery/import/plan-import.ts';
import { recognise } from '../../../../functions/recovery/import/recognise.ts';
import { ResumableSha256 } from '../../../../functions/recovery/import/resumable-sha256.ts';
import { customDump, mongoArchive, tarOf } from './support/dumps.ts';

const text = Buffer.from('one row after the other\n'.repeat(4_000));

describe('a dump is recognised', () => {
  it.each([
    ['a plain pg_dump -Fc, which is worth compressing', customDump(text, 0), 'pg_dump-custom', 'none'],
    ['a pg_dump -Fc with gzip', customDump(text, 1), 'pg_dump-custom', 'gzip'],
    ['a pg_dump -Fc with lz4', customDump(text, 2), 'pg_dump-custom', 'lz4'],
    ['a pg_dump -Fc with zstd', customDump(text, 3), 'pg_dump-custom', 'zstd'],
    ['one of PostgreSQL 15, whose header has a level', customDump(text, 6, 14), 'pg_dump-custom', 'gzip'],
    ['one of PostgreSQL 15 without compression', customDump(text, 0, 14), 'pg_dump-custom', 'none'],
    ['a mongodump archive', mongoArchive(text), 'mongodump-archive', 'none'],
    [
      'a mongodump archive with --gzip, by what is in it',
      gzipSync(mongoArchive(text)),
      'mongodump-archive',
      'gzip',
    ],
    ['a tar', tarOf('a.sql', text), 'tar', 'none'],
    ['a tar.gz', gzipSync(tarOf('a.sql', text)), 'tar', 'gzip'],
    ['a zstd file', zstdCompressSync(text), 'other', 'zstd'],
    ['a bzip2 file', Buffer.concat([Buffer.from('BZh9'), randomBytes(100)]), 'other', 'bzip2'],
    ['an xz file', Buffer.concat([Buffer.from('fd377a585a00', 'hex'), randomBytes(100)]), 'other', 'xz'],
    ['an lz4 file', Buffer.concat([Buffer.from('04224d18', 'hex'), randomBytes(100)]), 'other', 'lz4'],
    ['a zip', Buffer.concat([Buffer.from('PK\x03\x04'), randomBytes(100)]), 'other', 'zip'],
    [
      'what has no magic number and does not become smaller',
      brotliCompressSync(randomBytes(9_000)),
      'other',
      'other',
    ],
    ['SQL', text, 'other', 'none'],
    ['a gzip that is none', Buffer.concat([Buffer.from('1f8b', 'hex'), randomBytes(300)]), 'other', 'gzip'],
  ])('%s', (_, dump, format, packing) => {
    expect(recognise(dump)).toEqual({ format, packing });
  });

  it('whatever its bytes are', () => {
    const magics = [
      '',
      '1f8b',
      '504744',
      '50474d4450010f',
      '50474d44500110000408010',
      '6de29981',
      '28b52ffd',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...magics), fc.uint8Array({ maxLength: 600 }), (magic, bytes) => {
        const found = recognise(Buffer.concat([Buffer.from(magic, 'hex'), bytes]));
        expect(found.format).toBeDefined();
        expect(found.packing).toBeDefined();
      }),
    );
  });
});

describe('the segments of a dump', () => {
  const GiB = 1024 ** 3;
  const upload = { key: 'uploads/x', versionId: 'v' };

  it('are all of it, one after the other, at every size around a border', () => {
    const near = fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: -2, max: 2 }),
      fc.integer({ min: 3, max: 1000 }),
    );
    fc.assert(
      fc.property(near, ([times, off, size]) => {
        const bytes = Math.max(1, times * size + off);
        const segments = segmentsOf(upload, bytes, size, true);
        let at = 0;
        for (const [index, segment] of segments.entries()) {
          expect(segment).toMatchObject({ index, from: at });
          expect(segment.bytes).toBeGreaterThan(0);
          expect(segment.bytes).toBeLessThanOrEqual(size);
          at += segment.bytes;
        }
        expect(at).toBe(bytes);
      }),
    );
  });

  it('are as many as S3 puts together again, up to 5 TiB', () => {
    for (const bytes of [1, GiB, 100 * GiB, 3_000 * GiB, 5 * 1024 * GiB]) {
      expect(Math.ceil(bytes / segmentBytesOf(bytes))).toBeLessThanOrEqual(10_000);
      expect(Math.ceil(bytes / uploadPartBytesOf(bytes))).toBeLessThanOrEqual(1024);
      expect(uploadPartBytesOf(bytes)).toBeLessThanOrEqual(5 * GiB);
    }
  });
});

describe('a SHA-256 that is put aside', () => {
  it('is the same, wherever it was cut, and at every length around a block', () => {
    const lengths = fc.oneof(
      fc.constantFrom(0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128),
      fc.integer({ min: 0, max: 5_000 }),
    );
    fc.assert(
      fc.property(
        lengths,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
        (length, cuts) => {
          const input = randomBytes(length);
          const places = [0, ...cuts.map((cut) => Math.floor(cut * length)), length].sort((a, b) => a - b);
          let hash = new ResumableSha256();
          for (const [index, from] of places.entries()) {
            hash.update(input.subarray(from, places[index + 1] ?? length));
            hash = new ResumableSha256(JSON.parse(JSON.stringify(hash.state)));
          }
          expect(hash.bytes).toBe(length);
          expect(hash.digest()).toBe(createHash('sha256').update(input).digest('hex'));
        },
      ),
    );
  });
});
