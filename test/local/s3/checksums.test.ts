import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CrcName, createCrc } from '../../../local/s3/checksums/crc.ts';
import { combineCrcs } from '../../../local/s3/checksums/crc-combine.ts';
import {
  checksumAlgorithms,
  checksumLength,
  Digests,
  digestOf,
} from '../../../local/s3/checksums/digests.ts';

const crcs: CrcName[] = ['CRC32', 'CRC32C', 'CRC64NVME'];

describe('checksums', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
  ] as const)('computes %s of the catalogue of CRCs', (name, expected) => {
    expect(digestOf(name, Buffer.from('123456789')).toString('hex')).toBe(expected);
  });

  it.each(crcs)('%s of no bytes is zero', (name) => {
    expect(
      createCrc(name)
        .digest()
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it.each(crcs)('%s does not depend on how the bytes are cut', (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (data, cut) => {
        const crc = createCrc(name);
        crc.update(data.subarray(0, cut));
        crc.update(data.subarray(cut));
        expect(crc.digest()).toEqual(digestOf(name, data));
      }),
    );
  });

  it.each(crcs)('%s of a whole follows from those of its pieces', (name) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 6 }), (pieces) => {
        const parts = pieces.map((piece) => ({ crc: digestOf(name, piece), length: piece.length }));
        expect(combineCrcs(name, parts)).toEqual(digestOf(name, Buffer.concat(pieces)));
      }),
    );
  });

  it('computes several digests in one pass', () => {
    const digests = new Digests(checksumAlgorithms);
    digests.update(Buffer.from('ab'));
    digests.update(Buffer.from('c'));
    expect(digests.get('MD5')?.toString('hex')).toBe(createHash('md5').update('abc').digest('hex'));
    expect(digests.get('SHA256')?.toString('hex')).toBe(createHash('sha256').update('abc').digest('hex'));
    for (const algorithm of checksumAlgorithms) {
      expect(digests.get(algorithm)).toHaveLength(checksumLength[algorithm]);
    }
  });
});
