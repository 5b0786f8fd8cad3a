import { gate } from '../access/gate.ts';
import { dynamo } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { tracingContract } from './contract.ts';
import { writeJaegerError } from './query/jaeger/answers.ts';
import { jaegerHandlers } from './query/jaeger/jaeger-api.ts';
import { queryHandlers } from './query/query-api.ts';
import { writeTempoError } from './query/tempo/answers.ts';
import { tempoHandlers } from './query/tempo/tempo-api.ts';
import { StatsStore } from './stats/stats-store.ts';
import { SpanBlocks } from './store/span-blocks.ts';
import { TraceReader } from './store/trace-reader.ts';

/** Shows traces: in this API's own form, and in those of Jaeger and Tempo. */
export const handler = httpFunction({
  contract: tracingContract,
  functionContract: tracingContract.functions.api,
  gate,
  errors: { jaeger: writeJaegerError, tempo: writeTempoError },
  handlers: ({ TRACING_TABLE: table }): HttpHandlers<typeof tracingContract> => {
    const common = { client: dynamo(), table, now: Date.now };
    const sources = {
      store: new TraceReader(common),
      blocks: new SpanBlocks(common),
      stats: new StatsStore(common),
      now: Date.now,
    };
    return { ...queryHandlers(sources), ...jaegerHandlers(sources), ...tempoHandlers(sources) };
  },
});
