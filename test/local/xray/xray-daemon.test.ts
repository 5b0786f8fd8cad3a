import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { LambdaDefinition } from '../../../local/lambda/definition.ts';
import type { Segment } from '../../../local/xray/segment.ts';
import { SegmentRing } from '../../../local/xray/segment-ring.ts';
import { XrayDaemon } from '../../../local/xray/xray-daemon.ts';
import { secretInAnError } from '../../functions/shared/example.ts';
import { httpEvent } from '../../functions/shared/lambda.ts';
import { LambdaFixture, until } from '../lambda/fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'mainstay-xray-'));
const file = join(directory, 'segments.log');
const daemon = new XrayDaemon({ file });

beforeAll(() => daemon.start());
afterAll(async () => {
  await daemon.stop();
  await daemon.stop();
  rmSync(directory, { recursive: true });
});

async function sendDatagram(text: string): Promise<void> {
  const [host = '', port = ''] = daemon.address.split(':');
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(text, Number(port), host, resolve));
  socket.close();
}

const header = '{"format":"json","version":1}\n';
const segment = (traceId: string, id: string): string =>
  header +
  JSON.stringify({ trace_id: traceId, id, name: 'n', start_time: 1.5, end_time: 2, annotations: { a: 1 } });

describe('the X-Ray daemon', () => {
  it('keeps the segments of each trace and appends them to its file', async () => {
    const seen: string[] = [];
    const stop = daemon.onSegment(({ id }) => seen.push(id));
    await sendDatagram(segment('1-a', 'one'));
    await sendDatagram(segment('1-b', 'two'));
    await sendDatagram(segment('1-a', 'three'));
    await until(() => seen.length === 3);
    stop();
    expect(daemon.segments('1-a').map(({ id }) => id)).toEqual(['one', 'three']);
    expect(daemon.segments('1-a')[0]).toMatchObject({ name: 'n', annotations: { a: 1 } });
    expect(daemon.segments('1-c')).toEqual([]);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it('counts and ignores what is no segment', async () => {
    const datagrams = ['', 'x', `${header}{`, `${header}{"id":1}`, '{"format":"xml","version":1}\n{}'];
    for (const datagram of datagrams) await sendDatagram(datagram);
    await until(() => daemon.malformed === datagrams.length);
  });

  it('tells an SDK to sample everything', async () => {
    const post = async (path: string, body: string): Promise<{ status: number; answer: unknown }> => {
      const response = await fetch(`http://${daemon.address}${path}`, { method: 'POST', body });
      return { status: response.status, answer: await response.json() };
    };
    expect(await post('/GetSamplingRules', '{}')).toMatchObject({
      status: 200,
      answer: { SamplingRuleRecords: [{ SamplingRule: { RuleName: 'Default', FixedRate: 1, Version: 1 } }] },
    });
    const statistics = JSON.stringify({
      SamplingStatisticsDocuments: [{ RuleName: 'Default', RequestCount: 1 }],
    });
    expect(await post('/SamplingTargets', statistics)).toMatchObject({
      status: 200,
      answer: { LastRuleModification: 0, SamplingTargetDocuments: [{ RuleName: 'Default', FixedRate: 1 }] },
    });
    expect(await post('/SamplingTargets', 'no')).toMatchObject({ status: 400 });
    expect(await post('/PutTraceSegments', '{}')).toMatchObject({
      status: 501,
      answer: { message: expect.stringContaining('POST /PutTraceSegments') },
    });
  });

  it('takes what Powertools sends from a function, without a complaint in its log', async () => {
    const surroundings = () => ({ endpointUrl: 'http://127.0.0.1:9', xrayDaemonAddress: daemon.address });
    const fixture = new LambdaFixture({ surroundings });
    try {
      await fixture.host.start();
      const definition = fixture.definition('traced', '', {
        tracing: 'Active',
        environment: { POWERTOOLS_SERVICE_NAME: 'traced' },
      });
      await bundle(
        definition,
        `import { Tracer } from '@aws-lambda-powertools/tracer';
            const tracer = new Tracer();
            export const handler = async () => {
              await tracer.provider.captureAsyncFunc('## work', async (subsegment) => {
                tracer.putAnnotation('kind', 'test');
                subsegment?.close();
              });
              return process.env._X_AMZN_TRACE_ID;
            };`,
      );
      await fixture.host.ensureFunction(definition);
      const header = String(await fixture.call('traced'));
      const traceId = /Root=([^;]+)/.exec(header)?.[1] ?? '';
      const parent = /Parent=([^;]+)/.exec(header)?.[1];
      await until(() =>
        daemon.segments(traceId).some(({ name, end_time }) => name === '## work' && end_time !== undefined),
      );
      expect(daemon.segments(traceId).at(-1)).toMatchObject({
        parent_id: parent,
        annotations: { kind: 'test' },
      });
      expect(fixture.textOf('traced')).toEqual([]);
    } finally {
      await fixture.end();
    }
  });

  it('is told of each request whether it was a cold start, its route, its tenant, and what it failed of', async () => {
    const surroundings = () => ({ endpointUrl: 'http://127.0.0.1:9', xrayDaemonAddress: daemon.address });
    const fixture = new LambdaFixture({ surroundings });
    const told: Segment[] = [];
    const stop = daemon.onSegment((segment) => told.push(segment));
    try {
      await fixture.host.start();
      const environment = {
        POWERTOOLS_SERVICE_NAME: 'example',
        POWERTOOLS_METRICS_NAMESPACE: 'Mainstay/test',
      };
      const definition = fixture.definition('stack', '', { tracing: 'Active', environment });
      await bundle(
        definition,
        `import { exampleFunction } from '../../functions/shared/example.ts';
            export const handler = exampleFunction();`,
      );
      await fixture.host.ensureFunction(definition);
      await fixture.call('stack', httpEvent({ path: '/things', headers: { 'x-api-key': 'any' } }));
      await fixture.call('stack', httpEvent({ method: 'POST', path: '/fail', body: { how: 'error' } }));
      const ended = () =>
        told.filter(({ name, end_time }) => name.startsWith('## ') && end_time !== undefined);
      await until(() => ended().length === 2);
      const common = { Service: 'example', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) };
      expect(ended().map(({ annotations }) => annotations)).toEqual([
        { ...common, ColdStart: true, route: 'GET /things', keyId: 'abcdefgh', tenant: 'tenant-1' },
        { ...common, ColdStart: false, route: 'POST /fail', error: 'Error' },
      ]);
      expect(JSON.stringify(told)).toContain('cannot open /var/task/secret with msk_…');
      expect(JSON.stringify(told)).not.toContain(secretInAnError);
    } finally {
      stop();
      await fixture.end();
    }
  });
});

/** Bundles a function as functions are bundled. */
async function bundle({ codeDirectory }: LambdaDefinition, contents: string): Promise<void> {
  await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    outfile: join(codeDirectory, 'index.mjs'),
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
}

describe('the ring of segments', () => {
  it('is bounded in number and in bytes', () => {
    const ring = new SegmentRing(3, 100);
    for (let id = 0; id < 5; id += 1)
      ring.add({ trace_id: 't', id: String(id), name: 'n', start_time: 0 }, 10);
    expect(ring.ofTrace('t').map(({ id }) => id)).toEqual(['2', '3', '4']);
    ring.add({ trace_id: 't', id: 'large', name: 'n', start_time: 0 }, 95);
    expect(ring.ofTrace('t').map(({ id }) => id)).toEqual(['large']);
    ring.add({ trace_id: 't', id: 'too large', name: 'n', start_time: 0 }, 101);
    expect(ring.size).toBe(0);
  });
});
