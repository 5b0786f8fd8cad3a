import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { jsonVariable } from '../shared/json-variable.ts';
import { maximumSentBytes, maximumSpans, maximumUnpackedBytes, spanLimitsSchema } from './ingest/limits.ts';
import { otlpTypes } from './otlp/answers.ts';
import { jaegerRoutes } from './query/jaeger/routes.ts';
import { queryRoutes } from './query/routes.ts';
import { tempoRoutes } from './query/tempo/routes.ts';
import { compactEventSchema } from './stats/compact-event.ts';

/** What every function needs that writes spans. */
const writerEnvironment = z.object({
  /** Table of spans (`BatchWriteItem`). */
  TRACING_TABLE: z.string().min(1),
  TRACING_RETENTION_DAYS: z.coerce.number().int().min(1),
});

/** What the canary's schedule sends; it says nothing. */
const scheduledEventSchema = z.object({});

export const tracingContract = defineContract({
  name: 'tracing',
  title: 'Tracing',
  description: 'Where requests spend their time.',
  routes: {
    exportTraces: {
      method: 'POST',
      path: '/v1/traces',
      scope: 'ingest',
      summary: 'Take spans from OpenTelemetry',
      description: `OTLP/HTTP 1.x: an \`ExportTraceServiceRequest\` in protobuf or JSON, as it is or in gzip, deflate or zstd. At most ${maximumSentBytes} bytes as sent, ${maximumUnpackedBytes} unpacked, ${maximumSpans} spans. Spans that the answer does not reject are stored; sending them again changes nothing. Errors are a \`google.rpc.Status\` in the encoding of the request.`,
      protocol: 'otlp',
      servedBy: 'ingest',
      unaudited: true,
      rawBody: { contentTypes: [otlpTypes.protobuf, otlpTypes.json], maximumBytes: maximumSentBytes },
      responses: {
        200: {
          description:
            'An `ExportTraceServiceResponse`: its `partialSuccess` says how many spans were rejected and why, and which were shortened.',
          contentType: otlpTypes.protobuf,
        },
      },
    },
    ...queryRoutes,
    ...jaegerRoutes,
    ...tempoRoutes,
  },
  functions: {
    /** Shows traces; it reads the table of spans and changes nothing. */
    api: {
      environment: gateEnvironment.extend({ TRACING_TABLE: z.string().min(1) }),
    },
    /** On a schedule: puts one item in the place of many statistics. */
    'compact-stats': {
      environment: z.object({
        /** Table of spans (`Query`, `PutItem`, `BatchWriteItem`). */
        TRACING_TABLE: z.string().min(1),
        TRACING_RETENTION_DAYS: z.coerce.number().int().min(1),
      }),
      event: compactEventSchema,
    },
    /** On a schedule: writes a trace as `ingest` does, and looks for it as `api` does. */
    canary: {
      environment: writerEnvironment.extend({
        /** Table of spans (`BatchWriteItem`, `GetItem`, `PutItem`, `Query`). */
        TRACING_TABLE: z.string().min(1),
        TRACING_LIMITS: jsonVariable.pipe(spanLimitsSchema),
      }),
      event: scheduledEventSchema,
    },
    ingest: {
      environment: gateEnvironment.extend({
        ...writerEnvironment.shape,
        TRACING_LIMITS: jsonVariable.pipe(spanLimitsSchema),
      }),
    },
  },
});
