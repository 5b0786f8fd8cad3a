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
    // Somebody asks for metrics: what only CloudWatch has is read from now on.
    expect((await call('GET', '/api/admin/cache')).status).toBe(200);
  });

  /** As the clock does every few minutes. */
  const run = async (name: string) => {
    const FunctionName = await functionNamed(local, name);
    const lambda = new LambdaClient(awsConfig(local));
    const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
    expect(FunctionError).toBeUndefined();
    return Payload?.transformToString() ?? '';
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
    await run('MetricsCount');
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

  it('has what only CloudWatch has, of every table, workflow and shard', async () => {
    expect(JSON.parse(await run('MetricsReadCloud')).outcome).toMatch(/^(read|too-early|overtaken)$/);
    const text = async () => String((await call('GET', '/metrics')).body);
    const expected = [
      'mainstay_backups_total{outcome="completed"}',
      'mainstay_table_write_units_total{table="audit"}',
      'mainstay_workflow_executions_total{workflow="backup",outcome="succeeded"}',
      `mainstay_database_slow_queries_total{shard="${local.shards[0]?.name}"}`,
    ];
    const shown = async () => {
      const lines = await text();
      return expected.every((line) => lines.includes(`\n${line} `));
    };
    await waitFor(shown, {
      what: 'what was read of CloudWatch to be shown',
      intervalMs: 1_000,
    });
    const caches = z.looseObject({ process: z.array(z.looseObject({ name: z.string(), hits: z.int() })) });
    const { process } = caches.parse((await call('GET', '/api/admin/cache')).body);
    expect(process.find(({ name }) => name === 'keys')?.hits).toBeGreaterThan(0);
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
