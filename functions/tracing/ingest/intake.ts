import { msOfNano, type ResourceSpans, type StoredSpan } from '../model.ts';
import { dayMs } from '../store/keys.ts';
import { maximumAheadMs, type SpanLimits } from './limits.ts';
import { shortenResource, shortenSpan } from './shorten.ts';

/** Why a span is not accepted, and never will be. */
export type Rejection = 'invalid' | 'old' | 'ahead';

export interface Intake {
  /** What is to be stored. */
  readonly batch: readonly ResourceSpans[];
  readonly accepted: number;
  readonly rejected: Readonly<Record<Rejection, number>>;
  /** How many of the accepted were cut. */
  readonly shortened: number;
}

export interface IntakeOptions {
  readonly limits: SpanLimits;
  readonly retentionDays: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Takes of a message what can be stored, and cuts that to its limits. */
export function takeIn(message: readonly ResourceSpans[], options: IntakeOptions): Intake {
  const rejected = { invalid: 0, old: 0, ahead: 0 };
  let [accepted, shortened] = [0, 0];
  const takeSpan = (span: StoredSpan): StoredSpan[] => {
    const why = rejectionOf(span, options);
    if (why !== undefined) {
      rejected[why] += 1;
      return [];
    }
    const taken = shortenSpan(span, options.limits);
    accepted += 1;
    if (taken !== span) shortened += 1;
    return [taken];
  };
  const batch = message.map(({ resource, scopeSpans, ...rest }) => ({
    ...rest,
    resource: shortenResource(resource, options.limits),
    scopeSpans: scopeSpans.map((each) => ({ ...each, spans: each.spans.flatMap(takeSpan) })),
  }));
  return { batch, accepted, rejected, shortened };
}

const traceId = /^(?!0{32})[0-9a-f]{32}$/;
const spanId = /^(?!0{16})[0-9a-f]{16}$/;

function rejectionOf(span: StoredSpan, { retentionDays, now }: IntakeOptions): Rejection | undefined {
  const ids = traceId.test(span.traceId) && spanId.test(span.spanId);
  if (!ids || (span.parentSpanId !== undefined && !spanId.test(span.parentSpanId))) return 'invalid';
  const startMs = msOfNano(span.startTimeUnixNano);
  if (startMs <= 0) return 'invalid';
  if (startMs < now - retentionDays * dayMs) return 'old';
  return startMs > now + maximumAheadMs ? 'ahead' : undefined;
}

/** What the sender is told of an intake; empty when all was taken as it was. */
export function describeIntake(
  { rejected, shortened }: Intake,
  { limits, retentionDays }: IntakeOptions,
): string {
  const reasons: Record<Rejection, string> = {
    invalid: 'without valid ids or a start time',
    old: `that started more than ${retentionDays} days ago`,
    ahead: 'that start more than a day ahead of this clock',
  };
  const refused = (['invalid', 'old', 'ahead'] as const)
    .filter((reason) => rejected[reason] > 0)
    .map((reason) => `${rejected[reason]} ${reasons[reason]}`);
  const sentences = [
    ...(refused.length === 0 ? [] : [`Spans not accepted: ${refused.join('; ')}.`]),
    ...(shortened === 0
      ? []
      : [
          `Spans shortened: ${shortened}. A value has at most ${limits.valueChars} characters, a span ${limits.attributes} attributes, ${limits.events} events, ${limits.links} links and ${limits.spanChars} characters in all.`,
        ]),
  ];
  return sentences.join(' ');
}
