import { randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type KeyringNode, RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/client-node';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  chooseLevel,
  compressStage,
  decompressStage,
  sampleBytes,
} from '../../../functions/recovery/stages/compress.ts';
import {
  decryptStage,
  encryptStage,
  frameBytes,
  WrongContextError,
} from '../../../functions/recovery/stages/encrypt.ts';
import { HashStage } from '../../../functions/recovery/stages/hash.ts';
import type { Stage } from '../../../functions/recovery/stages/stage.ts';

const keyring = (): KeyringNode =>
  new RawAesKeyringNode({
    keyName: 'test',
    keyNamespace: 'test',
    unencryptedMasterKey: randomBytes(32),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });

async function through(input: Buffer, ...stages: (Stage | HashStage)[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const cut = function* () {
    for (let at = 0; at < input.length; at += 100_000) yield input.subarray(at, at + 100_000);
  };
  const sink = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(piece);
      done();
    },
  });
  await pipeline([Readable.from(cut()), ...stages, sink]);
  return Buffer.concat(pieces);
}

describe('the stages of the pipeline', () => {
  it('give back what went in, at every length around a frame', async () => {
    const key = keyring();
    const lengths = fc.constantFrom(
      0,
      1,
      frameBytes - 1,
      frameBytes,
      frameBytes + 1,
      2 * frameBytes,
      2_500_000,
    );
    await fc.assert(
      fc.asyncProperty(lengths, fc.constantFrom('zstd' as const, 'gzip' as const), async (length, format) => {
        const input = randomBytes(length);
        const hash = new HashStage();
        const stored = await through(
          input,
          compressStage({ format, level: 3 }),
          encryptStage(key, { about: 'this' }),
          hash,
        );
        expect(hash.measure.bytesOut).toBe(stored.length);
        const output = await through(stored, decryptStage(key, { about: 'this' }), decompressStage(format));
        expect(output.equals(input)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  it('write what other tools read', async () => {
    const input = Buffer.from('some text\n'.repeat(100_000));
    const zstd = await through(input, compressStage({ format: 'zstd', level: 3 }));
    const gzip = await through(input, compressStage({ format: 'gzip', level: 6 }));
    expect(zstdDecompressSync(zstd).equals(input)).toBe(true);
    expect(gunzipSync(gzip).equals(input)).toBe(true);
  });

  it('measure the bytes on both sides', async () => {
    const stage = compressStage({ format: 'zstd', level: 3 });
    const output = await through(Buffer.alloc(1_000_000), stage);
    expect(stage.measure).toMatchObject({ bytesIn: 1_000_000, bytesOut: output.length });
    expect(stage.measure.busyMs).toBeGreaterThan(0);
  });

  it('refuse a message about something else before giving anything out of it', async () => {
    const key = keyring();
    const stored = await through(Buffer.from('secret'), encryptStage(key, { table: 'a' }));
    await expect(through(stored, decryptStage(key, { table: 'b' }))).rejects.toThrow(WrongContextError);
    await expect(through(stored, decryptStage(key, { other: 'a' }))).rejects.toThrow('says other is nothing');
  });

  it('refuse a message of another key, and one that ends too early', async () => {
    const stored = await through(randomBytes(10_000), encryptStage(keyring(), { a: 'b' }));
    await expect(through(stored, decryptStage(keyring(), { a: 'b' }))).rejects.toThrow();
    const key = keyring();
    const cut = await through(randomBytes(10_000), encryptStage(key, { a: 'b' }));
    await expect(through(cut.subarray(0, -1), decryptStage(key, { a: 'b' }))).rejects.toThrow();
  });
});

describe('the level of zstd', () => {
  const asked = { format: 'zstd', level: 3 } as const;
  const rows = (row: (n: number) => string) =>
    Buffer.from(Array.from({ length: 60_000 }, (_, n) => row(n)).join(''));

  it('is the fastest where that makes the data as small', async () => {
    expect(await chooseLevel(asked, randomBytes(2_000_000))).toEqual({ format: 'zstd', level: 1 });
  });

  it('is never one that stores more than 4 % more', async () => {
    const shape = fc.record({
      columns: fc.integer({ min: 1, max: 12 }),
      words: fc.integer({ min: 2, max: 5_000 }),
    });
    await fc.assert(
      fc.asyncProperty(shape, fc.integer({ min: 1, max: 2 ** 31 }), async ({ columns, words }, seed) => {
        let state = seed;
        const word = () => {
          state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647;
          return (state % words).toString(36);
        };
        const data = rows(() => `${Array.from({ length: columns }, word).join('\t')}\n`).subarray(
          0,
          sampleBytes,
        );
        const size = (level: number) =>
          zstdCompressSync(data, { params: { [constants.ZSTD_c_compressionLevel]: level } }).length;
        const chosen = await chooseLevel(asked, data);
        expect(size(chosen.level)).toBeLessThanOrEqual(size(asked.level) * 1.04 + 64);
      }),
      { numRuns: 8 },
    );
  });

  it('is the one asked for where the fastest would store more', async () => {
    expect(
      await chooseLevel(
        asked,
        rows((n) => `${n}\t${n % 7}\t${'x'.repeat(20)}\n`),
      ),
    ).toEqual(asked);
  });

  it('is the one asked for where there is little to store', async () => {
    expect(await chooseLevel(asked, randomBytes(1_000))).toEqual(asked);
    expect(await chooseLevel({ format: 'gzip', level: 6 }, randomBytes(2_000_000))).toEqual({
      format: 'gzip',
      level: 6,
    });
  });
});
