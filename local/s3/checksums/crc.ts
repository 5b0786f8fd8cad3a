import { crc32 } from 'node:zlib';

/** A running CRC with initial value and final XOR of all ones, as CRC-32, CRC-32C and CRC-64/NVME have. */
export interface Crc {
  update(data: Uint8Array): void;
  /** The CRC of everything so far, big-endian. */
  digest(): Buffer;
}

/** What tells one CRC from another: its width and its polynomial, bit-reflected. */
export interface CrcParameters {
  bits: 32 | 64;
  polynomial: bigint;
}

export const crcParameters = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, CrcParameters>;

export type CrcName = keyof typeof crcParameters;

/** Starts a CRC. CRC-32 is zlib's own; the others go through eight table look-ups per eight bytes. */
export function createCrc(name: CrcName): Crc {
  if (name === 'CRC32') return new NativeCrc32();
  return name === 'CRC32C' ? new TableCrc32(crcTables(name)) : new TableCrc64(crcTables(name));
}

class NativeCrc32 implements Crc {
  #value = 0;

  update(data: Uint8Array): void {
    this.#value = crc32(data, this.#value);
  }

  digest(): Buffer {
    const result = Buffer.alloc(4);
    result.writeUInt32BE(this.#value);
    return result;
  }
}

const tables = new Map<CrcName, DataView<ArrayBuffer>>();

/**
 * Eight tables of 256 entries, one after the other: entry `b` of table `t` is the CRC of the byte `b`
 * followed by `t` zero bytes. A DataView, because its reads are typed `number` and just as fast.
 */
function crcTables(name: CrcName): DataView<ArrayBuffer> {
  const known = tables.get(name);
  if (known) return known;
  const { bits, polynomial } = crcParameters[name];
  const width = bits / 8;
  const view = new DataView(new ArrayBuffer(8 * 256 * width));
  const first: bigint[] = [];
  for (let byte = 0; byte < 256; byte++) {
    let entry = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) entry = entry & 1n ? (entry >> 1n) ^ polynomial : entry >> 1n;
    first.push(entry);
  }
  for (const [byte, start] of first.entries()) {
    let entry = start;
    for (let table = 0; table < 8; table++) {
      const offset = (table * 256 + byte) * width;
      if (bits === 32) view.setUint32(offset, Number(entry), true);
      else view.setBigUint64(offset, entry, true);
      entry = (entry >> 8n) ^ (first[Number(entry & 0xffn)] ?? 0n);
    }
  }
  tables.set(name, view);
  return view;
}

class TableCrc32 implements Crc {
  readonly #tables: DataView;
  #value = -1;

  constructor(view: DataView) {
    this.#tables = view;
  }

  update(data: Uint8Array): void {
    const t = this.#tables;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const end = view.byteLength;
    let value = this.#value;
    let i = 0;
    for (; i + 8 <= end; i += 8) {
      const low = value ^ view.getInt32(i, true);
      const high = view.getInt32(i + 4, true);
      value =
        t.getInt32(7168 + ((low & 255) << 2), true) ^
        t.getInt32(6144 + (((low >>> 8) & 255) << 2), true) ^
        t.getInt32(5120 + (((low >>> 16) & 255) << 2), true) ^
        t.getInt32(4096 + ((low >>> 24) << 2), true) ^
        t.getInt32(3072 + ((high & 255) << 2), true) ^
        t.getInt32(2048 + (((high >>> 8) & 255) << 2), true) ^
        t.getInt32(1024 + (((high >>> 16) & 255) << 2), true) ^
        t.getInt32((high >>> 24) << 2, true);
    }
    for (; i < end; i++) {
      value = t.getInt32(((value ^ view.getUint8(i)) & 255) << 2, true) ^ (value >>> 8);
    }
    this.#value = value;
  }

  digest(): Buffer {
    const result = Buffer.alloc(4);
    result.writeInt32BE(~this.#value);
    return result;
  }
}

class TableCrc64 implements Crc {
  readonly #tables: DataView;
  #low = -1;
  #high = -1;

  constructor(view: DataView) {
    this.#tables = view;
  }

  update(data: Uint8Array): void {
    const t = this.#tables;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const end = view.byteLength;
    let low = this.#low;
    let high = this.#high;
    let i = 0;
    for (; i + 8 <= end; i += 8) {
      const x = low ^ view.getInt32(i, true);
      const y = high ^ view.getInt32(i + 4, true);
      const a = 14336 + ((x & 255) << 3);
      const b = 12288 + (((x >>> 8) & 255) << 3);
      const c = 10240 + (((x >>> 16) & 255) << 3);
      const d = 8192 + ((x >>> 24) << 3);
      const e = 6144 + ((y & 255) << 3);
      const f = 4096 + (((y >>> 8) & 255) << 3);
      const g = 2048 + (((y >>> 16) & 255) << 3);
      const h = (y >>> 24) << 3;
      low = t.getInt32(a, true) ^ t.getInt32(b, true) ^ t.getInt32(c, true) ^ t.getInt32(d, true);
      low ^= t.getInt32(e, true) ^ t.getInt32(f, true) ^ t.getInt32(g, true) ^ t.getInt32(h, true);
      high = t.getInt32(a + 4, true) ^ t.getInt32(b + 4, true) ^ t.getInt32(c + 4, true);
      high ^= t.getInt32(d + 4, true) ^ t.getInt32(e + 4, true) ^ t.getInt32(f + 4, true);
      high ^= t.getInt32(g + 4, true) ^ t.getInt32(h + 4, true);
    }
    for (; i < end; i++) {
      const entry = ((low ^ view.getUint8(i)) & 255) << 3;
      low = t.getInt32(entry, true) ^ ((low >>> 8) | (high << 24));
      high = t.getInt32(entry + 4, true) ^ (high >>> 8);
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): Buffer {
    const result = Buffer.alloc(8);
    result.writeInt32BE(~this.#high, 0);
    result.writeInt32BE(~this.#low, 4);
    return result;
  }
}
