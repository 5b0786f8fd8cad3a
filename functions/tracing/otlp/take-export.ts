import { DependencyError } from '../../shared/dependency.ts';
import { Problem } from '../../shared/problem.ts';
import { type OtlpType, otlpTypeOf, otlpTypes } from './answers.ts';
import { MalformedOtlp } from './malformed.ts';
import { unpackBody } from './unpack-body.ts';

/** An OTLP request as it came. */
export interface OtlpExport {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** Where what was taken in is counted: Powertools' `Metrics`. */
export interface Counters {
  addMetric(name: string, unit: 'Count' | 'Bytes', value: number): unknown;
}

/** What reads the requests of a signal. Both throw MalformedOtlp. */
export interface ExportReader<T> {
  /** The request's name in OTLP. */
  readonly message: 'ExportTraceServiceRequest' | 'ExportMetricsServiceRequest';
  readonly fromProtobuf: (bytes: Buffer) => T[];
  readonly fromJson: (text: string) => T[];
}

/**
 * Reads a request in the encoding that it names. A body of no bytes is a request that has nothing, in JSON as well.
 *
 * @throws Problem 400, 413 or 415 for what will never be accepted.
 */
export function decodeExport<T>(
  { body, contentType, contentEncoding }: OtlpExport,
  { message, fromProtobuf, fromJson }: ExportReader<T>,
): { type: OtlpType; request: T[] } {
  const type = otlpTypeOf(contentType);
  const bytes = unpackBody(body, contentEncoding);
  try {
    if (type === otlpTypes.protobuf) return { type, request: fromProtobuf(bytes) };
    return { type, request: bytes.length === 0 ? [] : fromJson(bytes.toString('utf8')) };
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    throw new Problem('invalid-request', `This is not an ${message}. ${error.message}.`);
  }
}

/**
 * Stores what a request has.
 *
 * @throws Problem 503 with `Retry-After` when the store did not take it, whatever of it is there already.
 */
export async function orSendAgain(what: 'spans' | 'metrics', store: () => Promise<void>): Promise<void> {
  try {
    await store();
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    throw new Problem('not-available', `The ${what} could not be stored. Send them again.`, {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
