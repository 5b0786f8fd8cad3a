import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import * as z from 'zod';
import { exposition } from '../../functions/metrics/exposition/text.ts';
import { dashboards, queriesOf } from '../../lib/grafana/dashboards.ts';
import { apiClient } from '../e2e/support/api.ts';
import { sharedPlatform } from '../e2e/support/shared-platform.ts';
import { exampleMetrics } from '../support/example-metrics.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const installed = ['prometheus', 'promtool'].every((tool) => spawnSync(tool, ['--version']).status === 0);
if (!installed) console.warn('Prometheus is not installed (Debian: apt-get install prometheus): skipped.');

const variables = { tenant: '.*', cost_requests: '100', cost_edge: '50', cost_storage: '20' };
const queries = [...new Set(Object.values(dashboards).flatMap((each) => queriesOf(each, variables)))];

const directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const answerSchema = z.object({ status: z.literal('success'), data: z.unknown() });

/** A Prometheus of its own, that scrapes what its configuration says. */
class Prometheus {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(name: string, config: string): Promise<Prometheus> {
    const home = join(directory, name);
    mkdirSync(join(home, 'data'), { recursive: true });
    writeFileSync(join(home, 'prometheus.yml'), config);
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(home, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(home, 'data')}`,
        ...['--storage.tsdb.retention.time=30d', `--web.listen-address=127.0.0.1:${port}`],
        '--enable-feature=exemplar-storage',
      ],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}`);
    await waitFor(
      async () => (await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined))?.ok === true,
      {
        what: 'Prometheus to be ready',
        timeoutMs: 60_000,
      },
    );
    return prometheus;
  }

  async ask(path: string, query: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const answer = await fetch(`${this.#url}/api/v1/${path}?${new URLSearchParams(query)}`);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} ${JSON.stringify(query)}: ${text}`);
    return answerSchema.parse(JSON.parse(text)).data;
  }

  /** How many series a query has. */
  async seriesOf(query: string, time?: number): Promise<number> {
    const data = await this.ask('query', { query, ...(time !== undefined && { time: String(time) }) });
    const { result } = z
      .looseObject({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) })
      .parse(data);
    return result.filter(({ value }) => value[1] !== 'NaN').length;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.#child.once('close', done));
    this.#child.kill();
    await ended;
  }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** What promtool says of a text; nothing where it is well. */
const complaints = (args: readonly string[], input: string): string => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
};

(installed ? describe : describe.skip)('Prometheus', () => {
  it('finds nothing wrong with the text of what is Mainstay’s own', () => {
    const own = exampleMetrics().filter(({ name }) => name.startsWith('mainstay_'));
    expect(own.length).toBeGreaterThan(50);
    expect(complaints(['check', 'metrics'], exposition(own, 'prometheus'))).toBe('');
  });

  it('finds data for every query of every dashboard', async () => {
    const now = Math.floor(Date.now() / 60_000) * 60;
    const file = join(directory, 'example.txt');
    writeFileSync(file, overTime(exposition(exampleMetrics(), 'openmetrics'), now));
    const data = join(directory, 'example', 'data');
    mkdirSync(data, { recursive: true });
    // It reads OpenMetrics as Prometheus does when it scrapes.
    await promisify(execFile)('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, data]);
    const prometheus = await Prometheus.start('example', 'scrape_configs: []\n');
    try {
      const found = await Promise.all(
        queries.map(async (query) => ({ query, series: await prometheus.seriesOf(query, now) })),
      );
      expect(queries.length).toBeGreaterThan(70);
      expect(found.filter(({ series }) => series === 0).map(({ query }) => query)).toEqual([]);
      expect(await prometheus.seriesOf('mainstay_no_such_total', now)).toBe(0);
    } finally {
      await prometheus.stop();
    }
  });
});

/** A text of OpenMetrics with a past: each sample every minute for two hours, rising; without exemplars. */
function overTime(text: string, until: number): string {
  const minutes = 120;
  return text
    .split('\n')
    .flatMap((line) => {
      const [, series, value] = /^([a-z_]+(?:\{.*?\})?) (\S+)(?: # .*)?$/.exec(line) ?? [];
      if (series === undefined || line.startsWith('#')) return line === '' ? [] : [line];
      return Array.from(
        { length: minutes },
        (_, index) =>
          `${series} ${(Number(value) * (index + minutes)) / minutes} ${until - (minutes - 1 - index) * 60}`,
      );
    })
    .join('\n')
    .concat('\n');
}

/** What docs/operations/monitoring.md asks services to report, as an SDK sends it. */
function reportOf(now: number): unknown {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const time = { startTimeUnixNano: `${now - 60_000}000000`, timeUnixNano: `${now}000000` };
  const point = (...labels: [string, string][]) => ({
    attributes: labels.map(([key, value]) => attribute(key, value)),
    ...{ ...time, asInt: '7' },
  });
  const acme: [string, string] = ['tenant_id', 'acme'];
  const gauge = (name: string, ...dataPoints: object[]) => ({ name, gauge: { dataPoints } });
  const cumulative = { aggregationTemporality: 2 };
  const duration = {
    ...{ ...time, attributes: [], count: '3', sum: 0.4 },
    ...{ explicitBounds: [0.1, 1], bucketCounts: ['2', '1', '0'] },
  };
  const metrics = [
    {
      name: 'deployments_total',
      sum: { ...cumulative, isMonotonic: true, dataPoints: [point(acme, ['status', 'succeeded'])] },
    },
    gauge('active_websites_total', point(acme)),
    gauge('active_users', point(acme)),
    gauge('tenants', point(['state', 'active']), point(['state', 'suspended'])),
    { ...gauge('storage', point(acme)), unit: 'By' },
    { name: 'api.request.duration', unit: 's', histogram: { ...cumulative, dataPoints: [duration] } },
  ];
  const resource = { attributes: [attribute('service.name', 'shop')] };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] };
}

(installed ? describe : describe.skip)('Prometheus and a running platform', () => {
  let prometheus: Prometheus | undefined;
  afterAll(() => prometheus?.stop());

  it('scrapes it with a key, in OpenMetrics, with units and exemplars, and finds what was asked', async () => {
    const local = await sharedPlatform();
    const call = apiClient(local);
    expect((await call('GET', '/metrics')).status).toBe(200);
    const keyFile = join(directory, 'mainstay.key');
    writeFileSync(keyFile, local.adminKey, { mode: 0o600 });
    prometheus = await Prometheus.start(
      'scraping',
      `scrape_configs:
  - job_name: mainstay
    scrape_interval: 5s
    authorization: { credentials_file: ${keyFile} }
    static_configs: [{ targets: ['${new URL(local.baseUrl).host}'] }]
`,
    );
    const target = prometheus;
    await waitFor(async () => (await target.seriesOf('up{job="mainstay"} == 1')) === 1, {
      what: 'a scrape to succeed',
      timeoutMs: 60_000,
    });
    await waitFor(
      async () => {
        await call('GET', '/api/access/limits');
        return (
          (await target.seriesOf('mainstay_http_requests_total{route="GET /api/access/limits",code="2xx"}')) >
          0
        );
      },
      { what: 'a request to be counted and scraped', timeoutMs: 180_000, intervalMs: 2_000 },
    );
    const sent = await call('POST', '/v1/metrics', { body: reportOf(Date.now()) });
    expect(sent.status).toBe(200);
    expect(JSON.stringify(sent.body)).not.toContain('rejected');
    for (const query of [
      'sum by (tenant_id, status) (deployments_total)',
      ...[
        'sum(active_websites_total)',
        'sum(active_users)',
        'sum by (state) (tenants)',
        'sum(storage_bytes)',
      ],
      'sum by (le, service) (api_request_duration_seconds_bucket)',
    ]) {
      await waitFor(async () => (await target.seriesOf(query)) > 0, {
        what: `what a service has reported: ${query}`,
        intervalMs: 1_000,
      });
    }
    const metadata = await target.ask('metadata', { metric: 'mainstay_http_request_duration_seconds' });
    expect(JSON.stringify(metadata)).toContain('"unit":"seconds"');
    const exemplars = await target
      .ask('query_exemplars', {
        query: 'mainstay_http_request_duration_seconds_bucket',
        start: String(Date.now() / 1000 - 3_600),
        end: String(Date.now() / 1000 + 60),
      })
      .catch(() => []);
    expect(JSON.stringify(exemplars)).toContain('trace_id');
    for (const headers of [{}, { accept: 'application/openmetrics-text;version=1.0.0' }]) {
      const { body } = await call('GET', '/metrics', { headers });
      if (!('accept' in headers)) {
        // What services call their metrics is theirs: this gauge ends like a counter.
        const found = complaints(['check', 'metrics'], String(body)).split('\n');
        expect(found.filter((line) => line !== '' && !line.startsWith('active_websites_total '))).toEqual([]);
      } else expect(String(body)).toMatch(/\n# EOF\n$/);
    }
  });
});
