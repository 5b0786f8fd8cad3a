import { gzipSync } from 'node:zlib';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { waitFor } from '../support/wait-for.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { awsConfig, bucketNamed } from './support/aws.ts';
import { functionNamed } from './support/functions.ts';
import type { LocalJson } from './support/local-platform.ts';
import { sharedPlatform } from './support/shared-platform.ts';

const answerSchema = z.looseObject({
  totals: z.looseObject({ requests: z.number(), hits: z.number(), hitRatePercent: z.number().nullable() }),
});

describe('the logs of the edge', () => {
  let local: LocalJson;
  let call: ApiClient;
  let bucket: string;
  let log: Buffer;
  beforeAll(async () => {
    local = await sharedPlatform();
    call = apiClient(local);
    bucket = await bucketNamed(local, 'edgelogs');
    log = logOfNow();
  });

  const host = `site-${Date.now()}.example`;
  const path = `/${crypto.randomUUID()}`;
  /** Of now and not of when this file was loaded: what was before somebody began to count anew is not counted. */
  const logOfNow = () => {
    const lines = (['Hit', 'Hit', 'Miss'] as const).map((result, index) => {
      const [date, time] = new Date().toISOString().split(/[T.]/);
      return [date, time, 'FRA56-P4', 1_000, `192.0.2.${index}`, host, path, 200, result, '0.010', 'DE'].join(
        '\t',
      );
    });
    return gzipSync(
      `#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip x-host-header cs-uri-stem sc-status x-edge-result-type time-taken c-country\n${lines.join('\n')}\n`,
    );
  };
  const put = (name: string) =>
    new S3Client(awsConfig(local)).send(
      new PutObjectCommand({ Bucket: bucket, Key: `AWSLogs/000000000000/E1/${name}.gz`, Body: log }),
    );
  const requests = async () => {
    const { status, body } = await call('GET', '/api/cdn/analytics');
    expect(status).toBe(200);
    return answerSchema.parse(body).totals;
  };
  const ofPath = async () => {
    const { body } = await call('GET', '/api/cdn/analytics/paths?limit=1000');
    const { paths } = z
      .looseObject({
        paths: z.looseObject({ items: z.array(z.looseObject({ key: z.string(), requests: z.number() })) }),
      })
      .parse(body);
    return paths.items.find(({ key }) => key === path)?.requests ?? 0;
  };
  const fold = async () => {
    const lambda = new LambdaClient(awsConfig(local));
    const FunctionName = await functionNamed(local, 'FoldTraffic');
    const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
    expect(FunctionError).toBeUndefined();
  };

  it('move the analytics as they arrive, once however often they come, before and after they are folded', async () => {
    await put('first');
    await waitFor(async () => (await ofPath()) === 3, { what: 'the log to be counted' });
    await put('again');
    await fold();
    await put('first');
    await fold();
    expect(await ofPath()).toBe(3);
    const { body } = await call('GET', '/api/cdn/analytics/regions');
    expect(body).toMatchObject({
      regions: { items: expect.arrayContaining([expect.objectContaining({ key: 'Europe' })]) },
    });
  });

  it('are counted anew after a reset, and found by their time', async () => {
    const before = await requests();
    expect(before.requests).toBeGreaterThanOrEqual(3);
    const { status, body } = await call('POST', '/api/cdn/analytics/reset');
    expect(status).toBe(200);
    const { countedSince } = z.looseObject({ countedSince: z.string() }).parse(body);
    expect(await requests()).toMatchObject({ requests: 0, hitRatePercent: null });
    const from = new Date(Date.parse(countedSince) - 3_600_000).toISOString();
    const { body: history } = await call('GET', `/api/cdn/analytics?from=${from}`);
    expect(answerSchema.parse(history).totals.requests).toBeGreaterThanOrEqual(3);
  });
});
