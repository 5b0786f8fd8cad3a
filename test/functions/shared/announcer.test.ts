import './output.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { backupIdSchema, shardNameSchema } from '../../../functions/recovery/ids.ts';
import { Announcer } from '../../../functions/shared/announcer.ts';
import { type AwsReply, type FakeAws, startFakeAws } from './fake-aws.ts';
import { takeRecords } from './output.ts';

let aws: FakeAws;
let client: EventBridgeClient;
let reply: AwsReply;
let announcer: Announcer;

beforeAll(async () => {
  aws = await startFakeAws(() => reply);
  client = new EventBridgeClient(aws.settings);
  announcer = new Announcer(client, 'platform');
});
afterAll(async () => {
  client.destroy();
  await aws.stop();
});
beforeEach(() => {
  aws.calls.length = 0;
  reply = { body: { FailedEntryCount: 0, Entries: [{ EventId: '1' }] } };
  takeRecords();
});

const detail = {
  version: 1 as const,
  backupId: backupIdSchema.parse('B1'),
  shards: [shardNameSchema.parse('shard-a')],
  at: '2026-11-20T10:00:00.000Z',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
};
const context = { log: new Logger(), metrics: new Metrics() };
const refused = {
  body: { FailedEntryCount: 1, Entries: [{ ErrorCode: 'X', ErrorMessage: 'the bus is full' }] },
};

describe('announcing', () => {
  it('puts the event on the bus under its source, name and time', async () => {
    await announcer.announce('mainstay.recovery', 'backup.deleted', detail);
    expect(aws.calls).toMatchObject([
      {
        operation: 'PutEvents',
        input: {
          Entries: [
            {
              EventBusName: 'platform',
              Source: 'mainstay.recovery',
              DetailType: 'backup.deleted',
              Time: Date.parse(detail.at) / 1_000,
              Detail: JSON.stringify(detail),
            },
          ],
        },
      },
    ]);
  });

  it('fails under a name that workflows try again for, when the bus does not take it', async () => {
    reply = refused;
    await expect(announcer.announce('mainstay.recovery', 'backup.deleted', detail)).rejects.toMatchObject({
      name: 'DependencyError',
      message: expect.stringContaining('the bus is full'),
    });
    reply = { status: 400, body: { __type: 'AccessDenied', message: 'no' } };
    await expect(announcer.announce('mainstay.recovery', 'backup.deleted', detail)).rejects.toMatchObject({
      name: 'DependencyError',
    });
  });

  it('sends nothing that its schema does not describe', async () => {
    const secret = { ...detail, key: 'msk_…' };
    await expect(announcer.announce('mainstay.recovery', 'backup.deleted', secret)).rejects.toThrow();
    expect(aws.calls).toEqual([]);
  });
});

describe('announcing where nothing may fail any more', () => {
  it('says whether the bus took it; if not, logs and counts it', async () => {
    expect(await announcer.tryAnnounce(context, 'mainstay.recovery', 'backup.deleted', detail)).toBe(true);
    expect(takeRecords()).toEqual([]);
    reply = refused;
    expect(await announcer.tryAnnounce(context, 'mainstay.recovery', 'backup.deleted', detail)).toBe(false);
    context.metrics.publishStoredMetrics();
    expect(takeRecords()).toMatchObject([
      { level: 'ERROR', source: 'mainstay.recovery', event: 'backup.deleted' },
      { AnnouncementsFailed: 1 },
    ]);
  });
});
