import { MalformedOtlp } from './malformed.ts';

/** How a field is written in protobuf's wire format; groups (3, 4) have never been in OTLP. */
export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Reads protobuf's wire format from bytes, one message inside another: `enter` narrows what is read to a message, and gives
 * where to `leave` to. Nothing is copied but texts.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;
  #end: number;
  #depth = 0;
  /** Of the field that `next` has come to. */
  field = 0;
  type = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /**
   * Comes to the next field of the message.
   *
   * @returns whether there is one.
   * @throws MalformedOtlp for a tag that is none.
   */
  next(): boolean {
    if (this.#position >= this.#end) return false;
    const tag = this.uint();
    this.field = tag >>> 3;
    this.type = tag & 7;
    if (this.field === 0) throw new MalformedOtlp('There is a field without a number');
    return true;
  }

  /** Whether the field has this number and is written in this way: what is not is to be skipped. */
  is(field: number, type: number): boolean {
    return this.field === field && this.type === type;
  }

  /** Whether something is left of the message: packed numbers have no fields. */
  more(): boolean {
    return this.#position < this.#end;
  }

  /** Narrows what is read to the message that the field holds. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#depth += 1;
    if (this.#depth > maximumDepth) throw new MalformedOtlp(`Messages lie deeper than ${maximumDepth}`);
    this.#end = this.#position + length;
    return outer;
  }

  leave(outer: number): void {
    this.#depth -= 1;
    this.#position = this.#end;
    this.#end = outer;
  }

  text(): string {
    const length = this.#length();
    const from = this.#position;
    this.#position += length;
    return this.#bytes.toString('utf8', from, this.#position);
  }

  hex(): string {
    const length = this.#length();
    const from = this.#position;
    this.#position += length;
    return this.#bytes.toString('hex', from, this.#position);
  }

  base64(): string {
    const length = this.#length();
    const from = this.#position;
    this.#position += length;
    return this.#bytes.toString('base64', from, this.#position);
  }

  /** A number of 32 bits without a sign, as a varint. */
  uint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedOtlp('There is a number of more than ten bytes');
  }

  /** A signed number of 64 bits, as a varint, in decimal. */
  int64(): string {
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      small |= (byte & 0x7f) << shift;
      if (byte < 0x80) return String(small);
    }
    let value = BigInt(small);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value).toString();
    }
    throw new MalformedOtlp('There is a number of more than ten bytes');
  }

  /** A number of 64 bits without a sign, in decimal. */
  fixed64(): string {
    this.#require(8);
    const value = this.#bytes.readBigUInt64LE(this.#position).toString();
    this.#position += 8;
    return value;
  }

  fixed32(): number {
    this.#require(4);
    const value = this.#bytes.readUInt32LE(this.#position);
    this.#position += 4;
    return value;
  }

  double(): number {
    this.#require(8);
    const value = this.#bytes.readDoubleLE(this.#position);
    this.#position += 8;
    return value;
  }

  /** Goes past a field that nobody asks for: a newer version of OTLP may have more. */
  skip(): void {
    if (this.type === wire.varint) this.int64();
    else if (this.type === wire.bytes) this.#position += this.#length();
    else if (this.type === wire.fixed64) this.#pass(8);
    else if (this.type === wire.fixed32) this.#pass(4);
    else throw new MalformedOtlp(`There is a field of the wire type ${this.type}`);
  }

  #byte(): number {
    const byte = this.#position < this.#end ? this.#bytes[this.#position] : undefined;
    if (byte === undefined) throw endsEarly();
    this.#position += 1;
    return byte;
  }

  #length(): number {
    const length = this.uint();
    this.#require(length);
    return length;
  }

  #pass(bytes: number): void {
    this.#require(bytes);
    this.#position += bytes;
  }

  #require(bytes: number): void {
    if (bytes > this.#end - this.#position) throw endsEarly();
  }
}

/** Of messages one inside another: nested values are cut far above it. */
const maximumDepth = 64;

const endsEarly = () => new MalformedOtlp('It ends in the middle of a field');
