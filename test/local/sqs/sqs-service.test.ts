import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OperationContext } from '../../../local/aws/operation.ts';
import { SqsService } from '../../../local/sqs/sqs-service.ts';

const context: OperationContext = {
  principal: { kind: 'operator', arn: 'arn:aws:iam::000000000000:user/operator' },
  region: 'us-east-1',
  accountId: '000000000000',
  requestId: 'request',
};

describe('queues', () => {
  let directory: string;
  let now: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sqs-'));
    now = 1_700_000_000_000;
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  function open(): SqsService {
    const url = () => 'http://127.0.0.1:1';
    return new SqsService({
      directory,
      endpointUrl: url,
      region: 'us-east-1',
      accountId: '000000000000',
      now: () => now,
    });
  }
  const call = (sqs: SqsService, operation: string, input: Record<string, unknown>) =>
    sqs.api.operations[operation]?.run(input, context);

  it('hides a received message until its visibility ends, and forgets a deleted one', async () => {
    const sqs = open();
    const { url: QueueUrl } = await sqs.ensureQueue('letters');
    await call(sqs, 'SendMessage', { QueueUrl, MessageBody: 'hello' });
    expect(await call(sqs, 'ReceiveMessage', { QueueUrl })).toMatchObject({ Messages: [{ Body: 'hello' }] });
    expect(await call(sqs, 'ReceiveMessage', { QueueUrl })).toEqual({ Messages: [] });
    now += 31_000;
    const again = await call(sqs, 'ReceiveMessage', { QueueUrl });
    expect(again).toMatchObject({ Messages: [{ Attributes: { ApproximateReceiveCount: '2' } }] });
    const handle = JSON.stringify(again).match(/"ReceiptHandle":"([^"]+)"/)?.[1];
    await call(sqs, 'DeleteMessage', { QueueUrl, ReceiptHandle: handle });
    now += 31_000;
    expect(await call(sqs, 'ReceiveMessage', { QueueUrl })).toEqual({ Messages: [] });
  });

  it('keeps messages across restarts, no longer than the retention', async () => {
    const { url: QueueUrl } = await open().ensureQueue('letters');
    await call(open(), 'SendMessage', { QueueUrl, MessageBody: 'hello' });
    const restarted = open();
    await restarted.ensureQueue('letters', { retentionSeconds: 60 });
    expect(restarted.depths()).toEqual([{ queueName: 'letters', visible: 1 }]);
    now += 61_000;
    expect(await call(restarted, 'ReceiveMessage', { QueueUrl })).toEqual({ Messages: [] });
  });

  it('asks IAM for the action on the queue', async () => {
    const { url: QueueUrl, arn } = await open().ensureQueue('letters');
    expect(await open().api.operations.SendMessage?.authorize({ QueueUrl }, context)).toEqual([
      { action: 'sqs:SendMessage', resource: arn },
    ]);
  });

  it('refuses an unknown queue by AWS’s name for it', () => {
    const input = { QueueUrl: 'http://127.0.0.1:1/000000000000/none', MessageBody: 'x' };
    expect(() => call(open(), 'SendMessage', input)).toThrow(
      expect.objectContaining({ code: 'QueueDoesNotExist' }),
    );
  });
});
