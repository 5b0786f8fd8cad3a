import { MalformedOtlp } from './malformed.ts';

/** Of messages one inside another: nested values are cut far above it. */
const maximumDepth = 64;

/** One message in protobuf's JSON encoding. Members that are absent or `null` have protobuf's default. */
export class JsonMessage {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #name: string;
  readonly #depth: number;

  /**
   * @param name where it is, for errors.
   * @throws MalformedOtlp for what is no object.
   */
  constructor(value: unknown, name: string, depth = 0) {
    if (!isObject(value)) throw new MalformedOtlp(`${name} is not an object`);
    if (depth > maximumDepth) throw new MalformedOtlp(`Messages lie deeper than ${maximumDepth}`);
    this.#members = value;
    this.#name = name;
    this.#depth = depth;
  }

  has(member: string): boolean {
    const value = this.#members[member];
    return value !== undefined && value !== null;
  }

  /** Whether it is a number, not text, that 64 bits do not hold. */
  isLarge(member: string): boolean {
    const value = this.#members[member];
    return typeof value === 'number' && (value >= 2 ** 63 || value < -(2 ** 63));
  }

  text(member: string): string {
    const value = this.#members[member] ?? '';
    if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed();
    throw this.#wrong(member, 'text');
  }

  boolean(member: string): boolean {
    const value = this.#members[member];
    if (typeof value === 'boolean') return value;
    throw this.#wrong(member, 'true or false');
  }

  /** A whole number from 0 to 2³² - 1. */
  uint(member: string): number {
    const value = this.#members[member] ?? 0;
    const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < 2 ** 32)
      return number;
    throw this.#wrong(member, 'a whole number of 32 bits');
  }

  /** A whole number from 0 to 2⁶⁴ - 1, in decimal. */
  uint64(member: string): string {
    return this.#whole(member, 0n, 2n ** 64n);
  }

  /** A signed whole number of 64 bits, in decimal. */
  int64(member: string): string {
    return this.#whole(member, -(2n ** 63n), 2n ** 63n);
  }

  double(member: string): number {
    return doubleOf(this.#members[member]) ?? this.#fail(member, 'a number');
  }

  /** A list of numbers. */
  doubles(member: string): number[] {
    const values = this.#members[member] ?? [];
    if (!Array.isArray(values)) throw this.#wrong(member, 'a list');
    return values.map((value) => doubleOf(value) ?? this.#fail(member, 'a list of numbers'));
  }

  /** Bytes that are written as hex digits, in lower case. */
  hex(member: string): string {
    const value = this.text(member);
    if (value.length % 2 === 0 && /^[0-9a-fA-F]*$/.test(value)) return value.toLowerCase();
    throw this.#wrong(member, 'hex digits');
  }

  /** Bytes in base64, with padding. */
  base64(member: string): string {
    const value = this.text(member);
    if (/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return Buffer.from(value, 'base64').toString('base64');
    throw this.#wrong(member, 'base64');
  }

  message<T>(member: string, read: (message: JsonMessage) => T): T | undefined {
    const value = this.#members[member];
    if (value === undefined || value === null) return undefined;
    return read(new JsonMessage(value, member, this.#depth + 1));
  }

  messages<T>(member: string, read: (message: JsonMessage) => T): T[] {
    const values = this.#members[member] ?? [];
    if (!Array.isArray(values)) throw this.#wrong(member, 'a list');
    return values.map((value) => read(new JsonMessage(value, `A member of ${member}`, this.#depth + 1)));
  }

  #whole(member: string, least: bigint, limit: bigint): string {
    const value = this.#members[member] ?? '0';
    // Up to 18 digits are in range whatever they are.
    if (typeof value === 'string' && /^[1-9]\d{0,17}$/.test(value)) return value;
    const whole = typeof value === 'string' ? /^-?\d{1,20}$/.test(value) : Number.isInteger(value);
    if (whole && (typeof value === 'string' || typeof value === 'number')) {
      const number = BigInt(value);
      if (number >= least && number < limit) return number.toString();
    }
    throw this.#wrong(member, 'a whole number of 64 bits');
  }

  #fail(member: string, wanted: string): never {
    throw this.#wrong(member, wanted);
  }

  #wrong(member: string, wanted: string): MalformedOtlp {
    return new MalformedOtlp(`${this.#name}: ${member} is not ${wanted}`);
  }
}

function doubleOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'string' && /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value)) return Number(value);
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
