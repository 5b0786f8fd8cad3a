import { gate } from '../access/gate.ts';
import { dynamo } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { tracingContract } from './contract.ts';
import { ingestTraces } from './ingest/ingest-traces.ts';
import { writeOtlpError } from './otlp/answers.ts';
import { SpanStore } from './store/span-store.ts';

/** Takes spans in: `POST /v1/traces`. */
export const handler = httpFunction({
  contract: tracingContract,
  functionContract: tracingContract.functions.ingest,
  name: 'ingest',
  gate,
  errors: { otlp: writeOtlpError },
  handlers: ({
    TRACING_TABLE: table,
    TRACING_RETENTION_DAYS: retentionDays,
    TRACING_LIMITS: limits,
  }): HttpHandlers<typeof tracingContract, 'ingest'> => {
    const store = new SpanStore({ client: dynamo(), table, retentionDays, now: Date.now });
    return {
      exportTraces: async ({ body, request: { headers }, metrics }) => {
        const answer = await ingestTraces(
          { body, contentType: headers['content-type'], contentEncoding: headers['content-encoding'] },
          { store, metrics, limits, retentionDays, now: Date.now() },
        );
        return { status: 200, headers: { 'content-type': answer.type }, body: answer.body };
      },
    };
  },
});
