import { randomBytes } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { waitFor } from '../support/wait-for.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { awsConfig } from './support/aws.ts';
import { functionNamed } from './support/functions.ts';
import type { LocalJson } from './support/local-platform.ts';
import { sharedPlatform } from './support/shared-platform.ts';

const metricsSchema = z.looseObject({
  routes: z.array(
    z.looseObject({ route: z.string(), total: z.int(), slowest: z.looseObject({}).nullable() }),
  ),
  byFunction: z.array(z.looseObject({ function: z.string(), invocations: z.int() })),
});
const traceSchema = z.looseObject({ services: z.array(z.looseObject({ service: z.string() })) });

describe('what Mainstay tells of itself', () => {
  let local: LocalJson;
  let call: ApiClient;
  beforeAll(async () => {
    local = await sharedPlatform();
    call = apiClient(local);
  });

  /** As the clock does every minute. */
  const count = async () => {
    const FunctionName = await functionNamed(local, 'MetricsCount');
    const lambda = new LambdaClient(awsConfig(local));
    expect(
      (await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }))).FunctionError,
    ).toBeUndefined();
  };
  const route = 'GET /api/access/limits';

  it('is counted by route and function, and is a trace, soon after a request', async () => {
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
    expect((await call('GET', '/api/access/limits', { headers })).status).toBe(200);
    await waitFor(async () => (await call('GET', `/api/monitoring/tracing/${traceId}`)).status === 200, {
      what: 'the trace of the request',
      intervalMs: 300,
    });
    const trace = traceSchema.parse((await call('GET', `/api/monitoring/tracing/${traceId}`)).body);
    expect(trace.services.map(({ service }) => service)).toEqual(['mainstay-access']);
    await count();
    const metrics = metricsSchema.parse((await call('GET', '/api/monitoring/metrics')).body);
    expect(metrics.routes.find((each) => each.route === route)?.total).toBeGreaterThan(0);
    expect(metrics.byFunction.map((each) => each.function)).toContain('access/api');
  });

  it('is scraped as Prometheus and as OpenMetrics, by whoever may read', async () => {
    const plain = await call('GET', '/metrics');
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(plain.body).toContain('# TYPE mainstay_build_info gauge\n');
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
    const open = await call('GET', '/api/monitoring/prometheus', { headers: { accept } });
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(String(open.body)).toMatch(/\n# EOF\n$/);
  });

  it('shows the alarms of the deployment with their runbooks', async () => {
    const { status, body } = await call('GET', '/api/monitoring/alerts');
    const { alerts } = z
      .looseObject({ alerts: z.array(z.looseObject({ name: z.string(), runbook: z.string().nullable() })) })
      .parse(body);
    expect(status).toBe(200);
    expect(alerts.map(({ name }) => name)).toContain('mainstay-local-budget-burn');
    expect(alerts.filter(({ runbook }) => runbook === null)).toEqual([]);
  });
});
