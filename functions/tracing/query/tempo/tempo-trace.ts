import { Problem } from '../../../shared/problem.ts';
import type { StoredTrace } from '../../store/trace-reader.ts';
import { answerBytes } from '../encode/answer-bytes.ts';
import { messageOf } from '../encode/message.ts';
import { tracesToProtobuf, written } from '../encode/to-protobuf.ts';
import { tempoResourceSpans } from './tempo-json.ts';

type Headers = Readonly<Record<string, string | undefined>>;

interface TraceAnswer {
  readonly status: 200;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Tempo’s `PartialStatus`. */
const partial = 1;

/**
 * A trace as `/api/traces/{traceId}` answers it: a `Trace`.
 *
 * @throws Problem for a trace that is too large: this answer cannot say that it is a part.
 */
export function traceAnswer(trace: StoredTrace, headers: Headers): TraceAnswer {
  const message = messageOf(trace.spans);
  const answer = wantsProtobuf(headers)
    ? answerBytes(tracesToProtobuf(message), protobufType, headers['accept-encoding'])
    : answerBytes(json({ batches: tempoResourceSpans(message) }), jsonType, headers['accept-encoding']);
  if (answer !== undefined && trace.complete) return { status: 200, ...answer };
  throw new Problem(
    'unprocessable-request',
    'The trace is too large for this answer: /api/v2/traces gives a part of it, and its export all of it.',
  );
}

/** A trace as `/api/v2/traces/{traceId}` answers it: a `TraceByIDResponse`, which says when it is a part. */
export function traceAnswerV2({ spans, complete }: StoredTrace, headers: Headers): TraceAnswer {
  const earliest = spans.toSorted((one, other) =>
    one.span.startTimeUnixNano.padStart(20, '0') < other.span.startTimeUnixNano.padStart(20, '0') ? -1 : 1,
  );
  for (let part = earliest; ; part = part.slice(0, part.length >> 1)) {
    const whole = complete && part.length === spans.length;
    const said = whole ? '' : `The trace has more spans than the ${part.length} earliest that are shown.`;
    const answer = encoded({ ...{ message: messageOf(part), said }, headers });
    if (answer !== undefined) return { status: 200, ...answer };
  }
}

function encoded({
  message,
  said,
  headers,
}: {
  message: ReturnType<typeof messageOf>;
  said: string;
  headers: Headers;
}) {
  if (!wantsProtobuf(headers)) {
    const trace = { resourceSpans: tempoResourceSpans(message) };
    const body =
      said === '' ? { trace, metrics: {} } : { trace, metrics: {}, status: 'PARTIAL', message: said };
    return answerBytes(json(body), jsonType, headers['accept-encoding']);
  }
  const bytes = written((writer) => {
    writer.bytes(1, tracesToProtobuf(message));
    writer.uint(3, said === '' ? 0 : partial);
    writer.text(4, said);
  });
  return answerBytes(bytes, protobufType, headers['accept-encoding']);
}

const protobufType = 'application/protobuf';
const jsonType = 'application/json';
const wantsProtobuf = ({ accept = '' }: Headers) => accept.includes(protobufType);
const json = (body: unknown) => Buffer.from(JSON.stringify(body));
