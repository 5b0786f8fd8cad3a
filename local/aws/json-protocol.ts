import { AwsError } from './operation.ts';

/** Reads the body of a JSON request; an empty body is an empty object. Throws `SerializationException`. */
export function readJsonInput(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON');
  }
  if (!isRecord(value)) throw new AwsError('SerializationException', 'The request body is not a JSON object');
  return value;
}

/** Writes a result as AWS JSON: bytes as base64, times as seconds since the epoch. */
export function writeJson(value: unknown): string {
  return JSON.stringify(wireValue(value ?? {}));
}

function wireValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(wireValue);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, wireValue(member)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
