/** Writes protobuf’s wire format. Fields that have their default are left out, as proto3 does. */
export class WireWriter {
  readonly #parts: Uint8Array[] = [];

  uint(field: number, value: number): void {
    if (value !== 0) this.#parts.push(varint(BigInt(field << 3)), varint(BigInt(value)));
  }

  /** A signed integer of 64 bits, also where it is 0: for members of a `oneof`. */
  int64(field: number, value: bigint): void {
    this.#parts.push(varint(BigInt(field << 3)), varint(BigInt.asUintN(64, value)));
  }

  fixed64(field: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
    this.#parts.push(varint(BigInt((field << 3) | 1)), bytes);
  }

  fixed32(field: number, value: number): void {
    if (value === 0) return;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    this.#parts.push(varint(BigInt((field << 3) | 5)), bytes);
  }

  double(field: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varint(BigInt((field << 3) | 1)), bytes);
  }

  text(field: number, value: string | undefined): void {
    if (value !== undefined && value !== '') this.bytes(field, Buffer.from(value));
  }

  hex(field: number, value: string | undefined): void {
    if (value !== undefined && value !== '') this.bytes(field, Buffer.from(value, 'hex'));
  }

  /** Bytes, or a message that has been written; also empty ones. */
  bytes(field: number, value: Uint8Array): void {
    this.#parts.push(varint(BigInt((field << 3) | 2)), varint(BigInt(value.length)), value);
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
