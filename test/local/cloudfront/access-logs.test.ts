import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from '@jest/globals';
import { edgeLocation } from '../../../local/cloudfront/edge.ts';
import type { Exchanged } from '../../../local/cloudfront/edge-server.ts';
import { AccessLogs } from '../../../local/cloudfront/logging/access-logs.ts';
import { LogDeliveries } from '../../../local/cloudfront/logging/deliveries.ts';
import { standardFields } from '../../../local/cloudfront/logging/record.ts';
import { logDeliveryResources } from '../../../local/provision/resources/log-deliveries.ts';
import { accountId, region } from '../aws/emulated-aws.ts';
import { startEdge, type TestEdge } from './fixture.ts';

let edge: TestEdge;
afterEach(() => edge.close());

/** An edge whose log is delivered; `refuse` makes the store fail. */
async function start(delivery: Record<string, unknown> = {}, format = 'w3c') {
  const exchanged: ((each: Exchanged) => void)[] = [];
  edge = await startEdge({ onExchanged: (each) => exchanged.forEach((take) => void take(each)) });
  const deliveries = new LogDeliveries({ accountId, region });
  const files: { key: string; sourceArn: string; text: string }[] = [];
  const reported: string[] = [];
  const state = { refuse: false, records: 0 };
  const logs = new AccessLogs({
    ...{ deliveries, edgeLocation, accountId, intervalMs: 60_000 },
    domainName: () => edge.cloudFront.domainName,
    report: (line) => void reported.push(line),
    put: async ({ sourceArn }, key, body) => {
      if (state.refuse) throw new Error('AccessDenied');
      files.push({ key, sourceArn, text: gunzipSync(body).toString() });
    },
  });
  exchanged.push((each) => {
    logs.record(each);
    state.records += 1;
  });
  const resources = logDeliveryResources(deliveries);
  const create = (type: string, properties: Record<string, unknown>) =>
    resources[type]?.({
      ...{ stackName: 'Test', logicalId: type, type, properties },
      assembly: { stacks: [], assetPath: () => '' },
    });
  const ResourceArn = edge.cloudFront.arnOf('distribution', edge.distributionId);
  create('AWS::Logs::DeliverySource', { Name: 'edge', LogType: 'ACCESS_LOGS', ResourceArn });
  create('AWS::Logs::DeliveryDestination', {
    ...{ Name: 'edge', OutputFormat: format, DestinationResourceArn: 'arn:aws:s3:::logs' },
  });
  create('AWS::Logs::Delivery', {
    DeliverySourceName: 'edge',
    DeliveryDestinationArn: `arn:aws:logs:${region}:${accountId}:delivery-destination:edge`,
    S3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
    ...delivery,
  });
  /** Waits until the edge has noted so many exchanges: it does after the viewer has its answer. */
  const noted = async (count: number) => {
    while (state.records < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { logs, files, reported, state, noted };
}

it('has a line for each request, in CloudFront’s format and place, and one file for what came together', async () => {
  const { logs, files, noted } = await start();
  await edge.put('a.txt', '0123456789');
  const agent = 'Mozilla/5.0 (X11; "quoted")\u00e9';
  await edge.get('/a.txt?q=a%20b', {
    'user-agent': Buffer.from(agent).toString('latin1'),
    referer: 'https://x.example/',
    'accept-encoding': 'identity',
  });
  await edge.get('/a.txt', { range: 'bytes=2-4' });
  await edge.get('/missing<1>.txt');
  await noted(3);
  await logs.stop();
  const [file, ...others] = files;
  expect(others).toEqual([]);
  const id = edge.distributionId;
  expect(file?.key).toMatch(
    new RegExp(
      `^AWSLogs/${accountId}/CloudFront/${id}/\\d{4}/\\d\\d/\\d\\d/\\d\\d/${id}\\.\\d{4}-\\d\\d-\\d\\d-\\d\\d\\.[0-9a-f]{8}\\.gz$`,
    ),
  );
  expect(file?.sourceArn).toBe(`arn:aws:logs:${region}:${accountId}:delivery-source:edge`);
  const [version, fields, ...lines] = (file?.text ?? '').trimEnd().split('\n');
  expect([version, fields]).toEqual(['#Version: 1.0', `#Fields: ${standardFields.join(' ')}`]);
  const rows = lines.map((line) => {
    const values = line.split('\t');
    expect(values).toHaveLength(standardFields.length);
    return Object.fromEntries(standardFields.map((name, index) => [name, values[index]]));
  });
  expect(rows).toMatchObject([
    {
      ...{ 'cs-uri-stem': '/a.txt', 'cs-uri-query': 'q=a%20b', 'sc-status': '200', 'cs-method': 'GET' },
      ...{ 'x-edge-result-type': 'Miss', 'x-edge-location': edgeLocation, 'c-ip': '127.0.0.1' },
      'cs(User-Agent)': 'Mozilla/5.0%20(X11;%20%22quoted%22)%C3%83%C2%A9',
      'cs(Referer)': 'https://x.example/',
      'sc-content-type': 'text/plain',
    },
    {
      ...{ 'sc-status': '206', 'sc-range-start': '2', 'sc-range-end': '4', 'sc-content-len': '3' },
      ...{ 'x-edge-result-type': 'Hit', 'cs-uri-query': '-' },
    },
    { 'sc-status': '403', 'x-edge-result-type': 'Error', 'cs-uri-stem': '/missing%3C1%3E.txt' },
  ]);
});

it('has the fields that a delivery names, as JSON where it says so, and keeps what cannot be stored yet', async () => {
  const fields = ['timestamp(ms)', 'cs-uri-stem', 'cache-behavior-path-pattern'];
  const { logs, files, reported, state, noted } = await start({ RecordFields: fields }, 'json');
  state.refuse = true;
  await edge.get('/live/a');
  await noted(1);
  await logs.flush();
  expect([files, reported]).toEqual([[], ['the log of the edge cannot be stored: AccessDenied']]);
  state.refuse = false;
  await edge.get('/api/b');
  await noted(2);
  await logs.flush();
  await logs.flush();
  expect(files).toHaveLength(1);
  const lines: unknown[] = (files[0]?.text ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([
    {
      'timestamp(ms)': expect.any(String),
      'cs-uri-stem': '/live/a',
      'cache-behavior-path-pattern': '/live/*',
    },
    { 'timestamp(ms)': expect.any(String), 'cs-uri-stem': '/api/b', 'cache-behavior-path-pattern': '/api/*' },
  ]);
});

it('refuses fields and variables that are not emulated, by name', async () => {
  await expect(start({ RecordFields: ['asn'] })).rejects.toThrow('does not emulate the log field asn');
  await edge.close();
  await expect(start({ S3SuffixPath: '{distribution}' })).rejects.toThrow('{distribution} of S3SuffixPath');
});
