import { gate } from '../access/gate.ts';
import { dynamo } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { writeOtlpError } from '../tracing/otlp/answers.ts';
import { metricsContract } from './contract.ts';
import { ingestMetrics } from './reported/ingest-metrics.ts';
import { ReportKeeper } from './reported/keep-reports.ts';
import { ReportedStore } from './reported/reported-store.ts';

/** Takes what services report of themselves: `POST /v1/metrics`. */
export const handler = httpFunction({
  contract: metricsContract,
  functionContract: metricsContract.functions.ingest,
  name: 'ingest',
  gate,
  errors: { otlp: writeOtlpError },
  handlers: ({ MONITORING_TABLE }): HttpHandlers<typeof metricsContract, 'ingest'> => {
    const keeper = new ReportKeeper(new ReportedStore(dynamo(), MONITORING_TABLE, Date.now), Date.now);
    return {
      exportMetrics: async ({ body, request: { headers }, metrics }) => {
        const answer = await ingestMetrics(
          { body, contentType: headers['content-type'], contentEncoding: headers['content-encoding'] },
          { keeper, metrics, now: Date.now() },
        );
        return { status: 200, headers: { 'content-type': answer.type }, body: answer.body };
      },
    };
  },
});
