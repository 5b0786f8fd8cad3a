import { cloudFamilies, familiesOfCloud } from '../../functions/metrics/cloud/families.ts';
import { cloudQueries } from '../../functions/metrics/cloud/queries.ts';
import { ownFamilies } from '../../functions/metrics/exposition/families.ts';
import type { Family } from '../../functions/metrics/exposition/family.ts';
import { metricName } from '../../functions/metrics/reported/names.ts';
import { Tally } from '../../functions/metrics/tally/tally.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const tenants = ['acme', 'globex'] as const;

/** Everything that can be scraped, as of a platform where all of it has happened. */
export function exampleMetrics(): Family[] {
  return [...ownFamilies(counted()), ...familiesOfCloud(readOfCloud(), now), ...reported()];
}

function counted(): Tally {
  const tally = new Tally();
  for (const [index, tenant] of tenants.entries()) {
    for (const [durationMs, status] of [
      [4, 200],
      [60, 404],
      [900, 500],
    ] as const) {
      tally.add({
        ...{ at: now, service: 'cdn', fn: 'cdn/api', durationMs, coldStart: durationMs === 4, tenant },
        ...{ memoryBytes: 1e8, memoryLimitBytes: 5e8, traceId: String(status).padStart(32, '0') },
        request: { route: `GET /${index}`, status },
        ...(status === 500 && { error: { type: 'Error', message: 'no' } }),
      });
    }
    const used = tally.tenant(tenant);
    used.edgeRequests += 10;
    used.edgeBytes += 1_000;
  }
  return tally;
}

function readOfCloud() {
  const sources = {
    ...{ namespace: 'Mainstay/test', api: 'api', deadLetters: 'dead', workflowsOf: 'arn:' },
    ...{ tables: { audit: 'A', cdn: 'C' }, workflows: { backup: 'B' } },
  };
  const shards = [{ name: 'one', clusterIdentifier: 'c1' }];
  return cloudQueries(sources, shards).map(({ family, labels }, index) => ({
    ...{ family, labels, at: now },
    value: cloudFamilies[family].type === 'counter' ? 10 + index : 0.5,
  }));
}

/** What services are asked to report in docs/operations/monitoring.md. */
function reported(): Family[] {
  const of = (name: string, type: 'counter' | 'gauge', more: Record<string, string> = {}): Family => ({
    ...{ name, help: 'Reported.', type },
    samples: tenants.map((tenant_id) => ({ labels: { service: 'shop', tenant_id, ...more }, value: 7 })),
  });
  return [
    of(metricName('deployments_total', '', 'counter'), 'counter', { status: 'succeeded' }),
    of(metricName('active_websites_total', '', 'gauge'), 'gauge'),
    of(metricName('active_users', '', 'gauge'), 'gauge'),
    { ...of(metricName('storage', 'By', 'gauge'), 'gauge'), unit: 'bytes' },
    {
      ...{ name: 'tenants', help: 'Reported.', type: 'gauge' },
      samples: ['active', 'suspended'].map((state) => ({ labels: { service: 'shop', state }, value: 2 })),
    },
    {
      ...{ name: metricName('api.request.duration', 's', 'histogram'), help: 'Reported.' },
      ...{ type: 'histogram', unit: 'seconds' },
      samples: [
        {
          ...{ labels: { service: 'shop', route: 'GET /' }, count: 10, sum: 2 },
          buckets: [
            { upTo: 0.1, count: 6 },
            { upTo: 1, count: 9 },
          ],
        },
      ],
    },
  ];
}
