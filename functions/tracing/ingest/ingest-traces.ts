import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { DependencyError } from '../../shared/dependency.ts';
import { Problem } from '../../shared/problem.ts';
import type { ResourceSpans } from '../model.ts';
import { exportResponse, type OtlpType, otlpTypeOf, otlpTypes } from '../otlp/answers.ts';
import { tracesFromJson } from '../otlp/from-json.ts';
import { tracesFromProtobuf } from '../otlp/from-protobuf.ts';
import { MalformedOtlp } from '../otlp/malformed.ts';
import type { SpanStore } from '../store/span-store.ts';
import { describeIntake, type Intake, type IntakeOptions, takeIn } from './intake.ts';
import { maximumSpans } from './limits.ts';
import { unpackBody } from './unpack-body.ts';

/** An OTLP request as it came. */
export interface TraceExport {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

/** Where what was taken in is counted: Powertools' `Metrics`. */
export interface Counters {
  addMetric(name: string, unit: 'Count' | 'Bytes', value: number): unknown;
}

export interface IngestOptions extends IntakeOptions {
  readonly store: Pick<SpanStore, 'putSpans'>;
  readonly metrics: Counters;
}

/**
 * Stores the spans of an OTLP request. They are stored when this returns.
 *
 * @returns the answer, in the request's encoding.
 * @throws Problem 400, 413 or 415 for what will never be accepted; 503 with `Retry-After` when it was not stored.
 */
export async function ingestTraces(
  { body, contentType, contentEncoding }: TraceExport,
  { store, metrics, ...options }: IngestOptions,
): Promise<{ type: OtlpType; body: string | Uint8Array }> {
  const type = otlpTypeOf(contentType);
  const request = decode(unpackBody(body, contentEncoding), type);
  requireFew(request);
  const intake = takeIn(request, options);
  try {
    if (intake.accepted > 0) await store.putSpans(intake.batch);
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    throw new Problem('not-available', 'The spans could not be stored. Send them again.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
  count(metrics, intake, body.length);
  const { invalid, old, ahead } = intake.rejected;
  const message = describeIntake(intake, options);
  const said = { member: 'rejectedSpans', rejected: invalid + old + ahead, message } as const;
  return { type, body: exportResponse(type, said) };
}

function decode(bytes: Buffer, type: OtlpType): ResourceSpans[] {
  try {
    if (type === otlpTypes.protobuf) return tracesFromProtobuf(bytes);
    return bytes.length === 0 ? [] : tracesFromJson(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof MalformedOtlp)) throw error;
    throw new Problem('invalid-request', `This is not an ExportTraceServiceRequest. ${error.message}.`);
  }
}

function requireFew(message: readonly ResourceSpans[]): void {
  let spans = 0;
  for (const { scopeSpans } of message) for (const each of scopeSpans) spans += each.spans.length;
  if (spans <= maximumSpans) return;
  throw new Problem(
    'payload-too-large',
    `A request has at most ${maximumSpans} spans, and this one ${spans}.`,
  );
}

/** What was stored and what was not, and why. */
function count(metrics: Counters, { accepted, rejected, shortened }: Intake, bytes: number): void {
  const counts = {
    SpansStored: accepted,
    SpansInvalid: rejected.invalid,
    SpansTooOld: rejected.old,
    SpansAhead: rejected.ahead,
    SpansShortened: shortened,
  };
  for (const [name, value] of Object.entries(counts)) metrics.addMetric(name, MetricUnit.Count, value);
  metrics.addMetric('TraceBytes', MetricUnit.Bytes, bytes);
}
