import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { Problem } from '../../shared/problem.ts';
import type { ResourceSpans } from '../model.ts';
import { exportResponse, type OtlpType } from '../otlp/answers.ts';
import { tracesFromJson } from '../otlp/from-json.ts';
import { tracesFromProtobuf } from '../otlp/from-protobuf.ts';
import {
  type Counters,
  decodeExport,
  type ExportReader,
  type OtlpExport,
  orSendAgain,
} from '../otlp/take-export.ts';
import type { SpanStore } from '../store/span-store.ts';
import { describeIntake, type Intake, type IntakeOptions, takeIn } from './intake.ts';
import { maximumSpans } from './limits.ts';

export interface IngestOptions extends IntakeOptions {
  readonly store: Pick<SpanStore, 'putSpans'>;
  readonly metrics: Counters;
}

const reader: ExportReader<ResourceSpans> = {
  message: 'ExportTraceServiceRequest',
  fromProtobuf: tracesFromProtobuf,
  fromJson: tracesFromJson,
};

/**
 * Stores the spans of an OTLP request. They are stored when this returns.
 *
 * @returns the answer, in the request's encoding.
 * @throws Problem 400, 413 or 415 for what will never be accepted; 503 with `Retry-After` when it was not stored.
 */
export async function ingestTraces(
  sent: OtlpExport,
  { store, metrics, ...options }: IngestOptions,
): Promise<{ type: OtlpType; body: string | Uint8Array }> {
  const { type, request } = decodeExport(sent, reader);
  requireFew(request);
  const intake = takeIn(request, options);
  if (intake.accepted > 0) await orSendAgain('spans', () => store.putSpans(intake.batch));
  count(metrics, intake, sent.body.length);
  const { invalid, old, ahead } = intake.rejected;
  const message = describeIntake(intake, options);
  const said = { member: 'rejectedSpans', rejected: invalid + old + ahead, message } as const;
  return { type, body: exportResponse(type, said) };
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
