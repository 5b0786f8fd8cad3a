import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { clientOf, LimitStore, tables } from '../limits/store.ts';
import { Child } from '../measure/child.ts';
import { median } from '../measure/statistics.ts';
import { number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { type Place, paths, purgeOf, warmingOf } from './own.ts';

const script = new URL('edge-main.ts', import.meta.url).pathname;
const run = promisify(execFile);
/** As many as a warming makes at the same time by default. */
const atOnce = 5;

type Lane = readonly [name: string, run: () => Promise<void>];

/** Measures what a purge and a warming cost for each path, beside the bare calls and requests. */
export async function measureEdge(options: {
  rounds: number;
  progress: (text: string) => void;
}): Promise<Report[]> {
  const child = new Child(script);
  const store = await LimitStore.start();
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
  try {
    const { url } = await child.receive(z.object({ url: z.string() }));
    const base = clientOf(store.url);
    const place: Place = { url, client: DynamoDBDocumentClient.from(base), table: tables.own };
    const urls = join(directory, 'urls');
    await writeFile(urls, paths.map((path) => `url = "${url}${path}"\noutput = "/dev/null"\n`).join(''));
    const purge: Lane[] = [
      ['Mainstay: one spelling, least, queue, record, followed', () => purgeOf(place)],
      ['bare: the SDK’s CreateInvalidation', () => barePurge(url)],
    ];
    const warm: Lane[] = [
      ['Mainstay: variants, pace, results, record', () => warmingOf(place, atOnce)],
      [`bare: fetch, ${atOnce} at once, body read`, () => bareFetch(url)],
      [
        `curl --parallel --parallel-max ${atOnce}`,
        async () => {
          await run('curl', ['-s', '--parallel', '--parallel-max', String(atOnce), '--config', urls]);
        },
      ],
    ];
    const reports = [
      await measure('Purge: overhead per path', purge, options),
      await measure('Warming: overhead per path', warm, options),
    ];
    base.destroy();
    return reports;
  } finally {
    await child.finish();
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  title: string,
  lanes: readonly Lane[],
  { rounds, progress }: { rounds: number; progress: (text: string) => void },
): Promise<Report> {
  const times = new Map<string, number[]>();
  const missing = new Set<string>();
  // The first round warms modules and connections up, and does not count.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, lane] of lanes) {
      if (missing.has(name)) continue;
      progress(`${title}, round ${round} of ${rounds}: ${name}`);
      const started = performance.now();
      try {
        await lane();
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        missing.add(name);
        continue;
      }
      const perPath = ((performance.now() - started) * 1000) / paths.length;
      if (round > 0) times.set(name, [...(times.get(name) ?? []), perPath]);
    }
  }
  const medians = [...times].map(([name, values]) => ({ name, us: median(values) }));
  const [own, ...peers] = medians;
  return {
    title,
    setting: [
      `${paths.length} paths; the edge, the API of CloudFront and a dynalite answer at once, in processes of their own on the same cores.`,
    ],
    columns: [
      { title: 'Who' },
      { title: 'µs per path', align: 'right' },
      { title: 'paths/s', align: 'right' },
    ],
    rows: medians.map(({ name, us }) => [name, number(us, 0), number(1e6 / us, 0)]),
    findings:
      own === undefined
        ? []
        : peers.map(({ name, us }) =>
            own.us > us
              ? `We take ${(own.us - us).toFixed(0)} µs a path more than “${name}”.`
              : `We take ${(us - own.us).toFixed(0)} µs a path less than “${name}”.`,
          ),
  };
}

async function barePurge(url: string): Promise<void> {
  const client = new CloudFrontClient({
    ...{
      endpoint: url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    },
  });
  const Paths = { Quantity: paths.length, Items: [...paths] };
  const InvalidationBatch = { CallerReference: 'bench', Paths };
  await client.send(new CreateInvalidationCommand({ DistributionId: 'E1', InvalidationBatch }));
  client.destroy();
}

async function bareFetch(url: string): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < paths.length; index = next++) {
      const response = await fetch(`${url}${paths[index]}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
