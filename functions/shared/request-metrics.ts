import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { invocationOf } from './instrumentation.ts';

/** Apart from the handlers' own metrics, which have no route. */
const metrics = new Metrics();
const started = new WeakMap<Context, number>();

type HttpMiddleware = MiddlewareObj<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>;

/**
 * Publishes one EMF line for each request: `Requests`, `ClientErrors`, `ServerErrors` (counts) and `Latency`
 * (ms), per route and for the function as a whole. The line is the function's access log as well: it carries
 * the status, the trace id and the key's id.
 */
export function requestMetrics(): HttpMiddleware {
  const publish = ({ event, context, response }: Request<APIGatewayProxyEventV2>) => {
    const status = response?.statusCode ?? 500;
    const durationMs = performance.now() - (started.get(context) ?? performance.now());
    metrics.addDimension('route', event.routeKey).addDimensions({});
    metrics.addMetric('Requests', MetricUnit.Count, 1);
    metrics.addMetric('ClientErrors', MetricUnit.Count, status >= 400 && status < 500 ? 1 : 0);
    metrics.addMetric('ServerErrors', MetricUnit.Count, status >= 500 ? 1 : 0);
    metrics.addMetric('Latency', MetricUnit.Milliseconds, Math.round(durationMs * 100) / 100);
    metrics.addMetadata('status', String(status));
    for (const [name, value] of invocationOf(context).labels) {
      // It is a dimension of the metric already.
      if (name !== 'route') metrics.addMetadata(name, value);
    }
    metrics.publishStoredMetrics();
  };
  return {
    before: ({ context }) => {
      started.set(context, performance.now());
    },
    after: publish,
    onError: publish,
  };
}
