import { createHash, type Hash } from 'node:crypto';
import { type Crc, createCrc } from './crc.ts';

/** The checksum algorithms S3 can be asked for, as in `x-amz-checksum-<name>`, as far as they are emulated. */
export const checksumAlgorithms = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
] as const;

export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** Bytes of each algorithm's value. */
export const checksumLength: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
  MD5: 16,
};

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return checksumAlgorithms.some((algorithm) => algorithm === name);
}

/** Several digests over one stream of bytes, read once. */
export class Digests {
  readonly #running = new Map<ChecksumAlgorithm, Crc | Hash>();
  readonly #results = new Map<ChecksumAlgorithm, Buffer>();

  constructor(algorithms: Iterable<ChecksumAlgorithm>) {
    for (const algorithm of algorithms) this.#running.set(algorithm, start(algorithm));
  }

  update(data: Uint8Array): void {
    for (const digest of this.#running.values()) digest.update(data);
  }

  /** The digest of everything so far, after which no more may be added; undefined when not asked for. */
  get(algorithm: ChecksumAlgorithm): Buffer | undefined {
    const known = this.#results.get(algorithm);
    if (known) return known;
    const result = this.#running.get(algorithm)?.digest();
    if (result) this.#results.set(algorithm, result);
    return result;
  }
}

/** The digest of one buffer. */
export function digestOf(algorithm: ChecksumAlgorithm, data: Uint8Array): Buffer {
  const digest = start(algorithm);
  digest.update(data);
  return digest.digest();
}

function start(algorithm: ChecksumAlgorithm): Crc | Hash {
  switch (algorithm) {
    case 'CRC32':
    case 'CRC32C':
    case 'CRC64NVME':
      return createCrc(algorithm);
    default:
      return createHash(algorithm.toLowerCase());
  }
}
