import * as z from 'zod';
import { type HttpLambda, httpFunction } from '../../../../functions/shared/http-function.ts';
import type { HttpHandlers } from '../../../../functions/shared/http-handler.ts';
import { tracingContract } from '../../../../functions/tracing/contract.ts';
import type { TraceSpan } from '../../../../functions/tracing/model.ts';
import { writeJaegerError } from '../../../../functions/tracing/query/jaeger/answers.ts';
import { jaegerHandlers } from '../../../../functions/tracing/query/jaeger/jaeger-api.ts';
import { queryHandlers } from '../../../../functions/tracing/query/query-api.ts';
import { writeTempoError } from '../../../../functions/tracing/query/tempo/answers.ts';
import { tempoHandlers } from '../../../../functions/tracing/query/tempo/tempo-api.ts';
import { StatsStore } from '../../../../functions/tracing/stats/stats-store.ts';
import { regroup } from '../../../../functions/tracing/store/items.ts';
import { SpanBlocks } from '../../../../functions/tracing/store/span-blocks.ts';
import { SpanStore } from '../../../../functions/tracing/store/span-store.ts';
import { startDynamo } from '../../shared/dynamodb.ts';
import { httpEvent, lambdaContext } from '../../shared/lambda.ts';

/** The routes that show traces, over a table of their own, for a caller who may use them. */
export async function startTracing(now: number) {
  const dynamo = await startDynamo('tracing');
  const common = { client: dynamo.client, table: 'tracing', now: () => now };
  const store = new SpanStore({ ...common, retentionDays: 7 });
  const sources = { ...common, store, blocks: new SpanBlocks(common), stats: new StatsStore(common) };
  const caller = { keyId: 'key', name: 'Grafana', scopes: ['tracing:read'], tier: 'free' } as const;
  const handler: HttpLambda = httpFunction({
    contract: tracingContract,
    functionContract: { environment: z.object({}) },
    gate: () => ({
      admit: async () => ({ caller, headers: {} }),
      once: async (_, handle) => handle(),
      record: async () => {},
    }),
    errors: { jaeger: writeJaegerError, tempo: writeTempoError },
    handlers: (): HttpHandlers<typeof tracingContract> => ({
      ...queryHandlers(sources),
      ...jaegerHandlers(sources),
      ...tempoHandlers(sources),
    }),
    environment: {},
  });
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const [path = '', query = ''] = url.split('?');
    const { template, params } = routeOf(path);
    const event = httpEvent({ path, routeKey: `GET ${template}`, params, query, headers });
    const {
      statusCode,
      body = '',
      isBase64Encoded = false,
      headers: sent,
    } = await handler(event, lambdaContext());
    const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    return {
      status: statusCode,
      headers: sent ?? {},
      bytes,
      json: (): unknown => JSON.parse(bytes.toString('utf8')),
    };
  };
  return {
    get,
    put: (spans: readonly TraceSpan[]) => store.putSpans(regroup(spans)),
    stop: () => dynamo.stop(),
  };
}

/** The route that API Gateway leads a path to: names win over parameters. */
function routeOf(path: string): { template: string; params: Record<string, string> } {
  const found = Object.values(tracingContract.routes)
    .map((route) => ({ template: route.path, match: matchOf(route.path, path) }))
    .filter(({ match }) => match !== null)
    .sort((one, other) => one.template.split('{').length - other.template.split('{').length)[0];
  if (found === undefined) throw new Error(`There is no route ${path}`);
  const params = Object.entries(found.match?.groups ?? {}).map(([name, value]) => [
    name,
    decodeURIComponent(value),
  ]);
  return { template: found.template, params: Object.fromEntries(params) };
}

const matchOf = (template: string, path: string) =>
  new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(path);
