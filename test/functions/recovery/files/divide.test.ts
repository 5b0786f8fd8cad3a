import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FilesDivider, segmentsOf } from '../../../../functions/recovery/files/divide-files.ts';
import { fromLines, toLines } from '../../../../functions/recovery/files/lines.ts';
import {
  type FilesItem,
  fileEntrySchema,
  itemBounds,
  packBounds,
  segmentBytes,
  smallBytes,
} from '../../../../functions/recovery/files/model.ts';
import { shrinks } from '../../../../functions/recovery/files/shrinks.ts';
import { chooseComponents } from '../../../../functions/recovery/restore/choose-components.ts';

const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.nat(smallBytes - 1) },
  { weight: 3, arbitrary: fc.integer({ min: smallBytes, max: segmentBytes }) },
  { weight: 1, arbitrary: fc.integer({ min: segmentBytes + 1, max: 5 * segmentBytes }) },
);

describe('dividing files into work items', () => {
  it('keeps their order, loses none, and keeps each item within its bounds', () => {
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 2_500 }), (all) => {
        const divider = new FilesDivider();
        const items: FilesItem[] = all.flatMap((size, index) =>
          divider.add({ key: String(index), versionId: 'v', size, lastModified: '2026-01-01T00:00:00Z' }),
        );
        items.push(...divider.finish());
        expect([...new Set(items.flat().map(({ key }) => key))]).toEqual(
          all.map((_, index) => String(index)),
        );
        for (const item of items) {
          const small = item.filter(({ size }) => size < smallBytes);
          const large = item.filter(({ size }) => size >= smallBytes);
          const bytes = (files: FilesItem) =>
            files.reduce((sum, { size, segment }) => sum + (segment?.bytes ?? size), 0);
          expect(item.length).toBeLessThanOrEqual(packBounds.files);
          expect(bytes(small)).toBeLessThanOrEqual(packBounds.bytes);
          expect(large.length).toBeLessThanOrEqual(itemBounds.objects);
          expect(bytes(large)).toBeLessThanOrEqual(itemBounds.bytes);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('divides a very large file into segments that follow each other', () => {
    const size = 2 * segmentBytes + 5;
    expect(segmentsOf(size)).toEqual([
      { number: 0, of: 3, from: 0, bytes: segmentBytes },
      { number: 1, of: 3, from: segmentBytes, bytes: segmentBytes },
      { number: 2, of: 3, from: 2 * segmentBytes, bytes: 5 },
    ]);
  });
});

describe('the list of files', () => {
  it('comes back from its lines, however they are cut into pieces', async () => {
    const entry = (key: string) =>
      fileEntrySchema.parse({
        ...{ key, versionId: 'v', size: 1, lastModified: '2026-01-01T00:00:00Z' },
        ...{
          headers: {},
          metadata: {},
          tags: {},
          sha256: null,
          parts: [{ object: 0, bytes: 1, sha256: '0'.repeat(64) }],
        },
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 1, max: 50 }),
        async (keys, cut) => {
          const pieces: Buffer[] = [];
          for await (const piece of toLines(from(keys.map(entry)))) pieces.push(piece);
          const all = Buffer.concat(pieces);
          const cuts = Array.from({ length: Math.ceil(all.length / cut) }, (_, n) =>
            all.subarray(n * cut, (n + 1) * cut),
          );
          const found: string[] = [];
          for await (const { key } of fromLines(from(cuts), fileEntrySchema)) found.push(key);
          expect(found).toEqual(keys);
        },
      ),
      { numRuns: 50 },
    );
  });
});

async function* from<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

describe('what is worth compressing', () => {
  it.each([
    ['a.html', undefined, undefined, true],
    ['a', 'image/svg+xml', undefined, true],
    ['a', 'image/jpeg', undefined, false],
    ['a.MP4', undefined, undefined, false],
    ['a.js', 'text/javascript', 'gzip', false],
    ['a', 'application/json', undefined, true],
  ])('%s of type %s and encoding %s: %s', (key, contentType, contentEncoding, expected) => {
    expect(shrinks({ key, contentType, contentEncoding })).toBe(expected);
  });
});

describe('what of a backup is restored', () => {
  const backup = { type: 'full', components: ['database', 'files'] } as const;
  const of = { ...backup, components: [...backup.components] };

  it('is the databases, or the files when it is said which, or what was asked for', () => {
    expect(chooseComponents(of, {})).toEqual(['database']);
    expect(chooseComponents(of, { files: { overwrite: false } })).toEqual(['files']);
    expect(chooseComponents(of, { components: ['files', 'database'] })).toEqual(['files', 'database']);
  });

  it('is refused where the backup has it not, or where it does not go together', () => {
    expect(() => chooseComponents(of, { components: ['configuration'] })).toThrow(
      /cannot be restored like this/,
    );
    expect(() => chooseComponents({ ...of, components: ['files'] }, {})).toThrow();
    expect(() => chooseComponents(of, { components: ['database'], files: { overwrite: true } })).toThrow();
    expect(() => chooseComponents(of, { components: ['files'], tables: ['app.users'] })).toThrow();
  });
});
