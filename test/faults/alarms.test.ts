import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as z from 'zod';
import { type ApiClient, apiClient } from '../e2e/support/api.ts';
import { awsConfig } from '../e2e/support/aws.ts';
import { Receiver } from '../e2e/support/receiver.ts';
import { sharedPlatform } from '../e2e/support/shared-platform.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

/** On shares of sums: what comes later can end it, without waiting until what raised it is out of sight. */
const name = 'mainstay-local-edge-hit-rate';
const alertsSchema = z.looseObject({
  alerts: z.array(
    z.looseObject({
      ...{ name: z.string(), state: z.string(), runbook: z.string().nullable() },
      history: z.array(z.looseObject({ from: z.string().nullable(), to: z.string() })),
    }),
  ),
});

describe('an alarm of a running platform', () => {
  let call: ApiClient;
  let cloudWatch: CloudWatchClient;
  let receiver: Receiver;
  let webhook: string;
  beforeAll(async () => {
    const local = await sharedPlatform();
    call = apiClient(local);
    cloudWatch = new CloudWatchClient(awsConfig(local));
    receiver = await Receiver.start();
    const body = { url: receiver.url, events: ['alarm.changed'] };
    const { id } = z
      .looseObject({ id: z.string() })
      .parse((await call('POST', '/api/access/webhooks', { body })).body);
    webhook = id;
  });
  afterAll(async () => {
    await call('DELETE', `/api/access/webhooks/${webhook}`);
    await receiver.stop();
    cloudWatch.destroy();
  });

  /** A value in each of the last periods that the alarm looks at. */
  const happen = async (MetricName: string, value: number) => {
    const { MetricAlarms: [alarm] = [] } = await cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [name] }),
    );
    const stat = alarm?.Metrics?.find(({ MetricStat }) => MetricStat?.Metric?.MetricName === MetricName);
    const { Metric, Period = 0 } = stat?.MetricStat ?? {};
    expect(Period).toBeGreaterThan(0);
    const periods = Array.from({ length: alarm?.EvaluationPeriods ?? 0 }, (_, index) => index + 0.5);
    await cloudWatch.send(
      new PutMetricDataCommand({
        Namespace: Metric?.Namespace,
        MetricData: periods.map((ago) => ({
          ...{ MetricName, Dimensions: Metric?.Dimensions ?? [], Value: value },
          Timestamp: new Date(Date.now() - ago * Period * 1_000),
        })),
      }),
    );
  };
  const shown = async () =>
    alertsSchema
      .parse((await call('GET', '/api/monitoring/alerts')).body)
      .alerts.find((alert) => alert.name === name);
  const told = (state: string) =>
    receiver.until(
      `a webhook about ${state}`,
      ({ body }) => body.includes(name) && body.includes(`"state":"${state}"`),
    );

  it('is raised and ends by what is measured, and webhooks and the API tell of it', async () => {
    await happen('EdgeHits', 0);
    await happen('EdgeMisses', 100_000);
    await told('ALARM');
    await waitFor(async () => (await shown())?.state === 'ALARM', {
      what: 'the API to show it',
      intervalMs: 500,
    });
    expect((await shown())?.runbook).toContain('edge-hit-rate.md');
    await happen('EdgeHits', 1_000_000_000);
    await told('OK');
    await waitFor(async () => (await shown())?.state === 'OK', {
      what: 'the API to show its end',
      intervalMs: 500,
    });
    expect((await shown())?.history[0]).toMatchObject({ from: 'ALARM', to: 'OK' });
  });
});
