import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Fault } from '../../local/aws/faults.ts';
import { Backups } from '../e2e/support/backups.ts';
import { createBigTable, dropBigTable } from '../e2e/support/big-table.ts';
import { countAllRows, onShard } from '../e2e/support/databases.ts';
import { expectBackupIsGone, expectBackupIsWhole } from '../e2e/support/outcomes.ts';
import { root } from '../e2e/support/recovery.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';

/** Ways in which a service fails, and what a client of it sees. */
const ways = {
  's3 500': { service: 's3', error: { status: 500, code: 'InternalError' } },
  's3 throttled': { service: 's3', error: { status: 503, code: 'SlowDown' } },
  's3 disconnected': { service: 's3', disconnect: true },
  'kms 500': { service: 'kms', error: { status: 500, code: 'KMSInternalException' } },
  'kms throttled': { service: 'kms', error: { status: 400, code: 'ThrottlingException' } },
  'kms disconnected': { service: 'kms', disconnect: true },
  'dynamodb 500': { service: 'dynamodb', error: { status: 500, code: 'InternalServerError' } },
  'dynamodb throttled': {
    service: 'dynamodb',
    error: { status: 400, code: 'ProvisionedThroughputExceededException' },
  },
  'dynamodb disconnected': { service: 'dynamodb', disconnect: true },
} as const satisfies Record<string, Omit<Fault, 'times'>>;
type Way = (typeof ways)[keyof typeof ways];
const cases = Object.entries(ways);

/** The calls that make a backup, by who makes them. */
const calls: Record<Way['service'], readonly [operation: string, caller: string][]> = {
  s3: [
    ['PutObject', 'RecoveryHoldSnapshot'],
    ['PutObject', 'RecoveryDumpSchema'],
    ['PutObject', 'RecoveryPlanChunks'],
    ['GetObject', 'RecoveryPlanChunks'],
    ['PutObject', 'RecoveryChunkPipeline'],
    ['CreateMultipartUpload', 'RecoveryChunkPipeline'],
    ['UploadPart', 'RecoveryChunkPipeline'],
    ['CompleteMultipartUpload', 'RecoveryChunkPipeline'],
    ['GetObject', 'RecoveryVerifyChunk'],
    ['GetObject', 'RecoveryCommit'],
    ['PutObject', 'RecoveryCommit'],
  ],
  kms: [
    ['GenerateDataKey', 'RecoveryDumpSchema'],
    ['GenerateDataKey', 'RecoveryChunkPipeline'],
    ['Decrypt', 'RecoveryVerifyChunk'],
    ['Decrypt', 'RecoveryCommit'],
    ['GenerateMac', 'RecoveryCommit'],
    ['VerifyMac', 'RecoveryCommit'],
  ],
  dynamodb: [
    ['PutItem', 'RecoveryPlanRole'],
    ['UpdateItem', 'RecoveryPlanRole'],
    ['PutItem', 'RecoveryHoldSnapshot'],
    ['UpdateItem', 'RecoveryHoldSnapshot'],
    ['GetItem', 'RecoveryHoldSnapshot'],
    ['GetItem', 'RecoveryDumpSchema'],
    ['UpdateItem', 'RecoveryDumpSchema'],
    ['UpdateItem', 'RecoveryPlanChunks'],
    ['PutItem', 'RecoveryChunkPipeline'],
    ['GetItem', 'RecoveryChunkPipeline'],
    ['UpdateItem', 'RecoveryVerifyChunk'],
    ['Query', 'RecoveryCommit'],
    ['UpdateItem', 'RecoveryCommit'],
    ['UpdateItem', 'RecoveryRelease'],
  ],
};

/** The one call that a chunk cannot do without. */
const essential: Record<Way['service'], { operation: string; cause: RegExp }> = {
  s3: { operation: 'PutObject', cause: /DependencyError: S3 did not complete PutObject/ },
  kms: { operation: 'GenerateDataKey', cause: /DependencyError: KMS did not complete GenerateDataKey/ },
  dynamodb: { operation: 'PutItem', cause: /DynamoDB did not take it/ },
};

describe('a service', () => {
  let backups: Backups;
  let rows: number;

  beforeAll(async () => {
    backups = await Backups.open();
    // Large enough for uploads in several parts.
    await createBigTable(backups.local, shard, 40);
    rows = await onShard(backups.local, shard, countAllRows);
  });
  afterEach(() => backups.tidy());
  afterAll(() => dropBigTable(backups.local, shard));

  it.each(cases)('that fails now and then keeps no backup from being whole: %s', async (_, way) => {
    const faults = calls[way.service].map(([operation, caller]) => ({ ...way, operation, caller, times: 2 }));
    await backups.breakage.inject(...faults);
    const backup = await backups.ended(await backups.start({ shards: [shard] }), 240_000);
    expect(await backups.breakage.left()).toEqual([]);
    await expectBackupIsWhole(backups, backup, rows);
  });

  it.each(cases)('that fails for good ends a backup in bounded time, and is named: %s', async (_, way) => {
    const { operation, cause } = essential[way.service];
    await backups.breakage.inject({ ...way, operation, caller: 'RecoveryChunkPipeline', times: 100_000 });
    const backup = await backups.ended(await backups.start({ shards: [shard] }), 120_000);
    await expectBackupIsGone(backups, backup, shard, cause);
  });

  it('that fails for good at the very end leaves no manifest: KMS, which authenticates it', async () => {
    await backups.breakage.inject({
      ...{ service: 'kms', operation: 'GenerateMac', times: 100_000 },
      error: { status: 500, code: 'KMSInternalException' },
    });
    const backup = await backups.ended(await backups.start({ shards: [shard] }));
    expect(backup).toMatchObject({ state: 'failed', verified: false, manifest: null });
    expect(backup.error?.message).toContain('KMS did not complete GenerateMac');
    // Its objects stay until no function can be left that would write a manifest of them.
    const keys = (await backups.stored(backup.id)).map(({ key }) => key);
    expect(keys.filter((key) => key.endsWith('manifest.json'))).toEqual([]);
    await backups.released(shard);
  });

  it('that does not start the workflow fails the request and the backup: Step Functions', async () => {
    await backups.breakage.inject({
      ...{ service: 'states', operation: 'StartExecution', times: 100 },
      error: { status: 500, code: 'InternalServerError' },
    });
    const answer = await backups.call('POST', `${root}/backup`, { body: { shards: [shard] } });
    expect(answer).toMatchObject({ status: 503, body: { detail: expect.stringContaining('Try again') } });
    await backups.breakage.mend();
    const { body } = await backups.call('GET', `${root}/backups?limit=1`);
    const [failed] = Object(body).backups;
    expect(failed).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('StartExecution') },
    });
    backups.adopt(failed.id);
    // Its shards are free.
    await backups.remove(await backups.start({ shards: [shard] }));
  });

  it.each([
    ['rds', 'DescribeDBClusters', 'RecoveryPlanRole'],
    ['events', 'PutEvents', 'RecoveryCommit'],
    ['kms', 'GenerateDataKeyWithoutPlaintext', 'Workflow'],
  ])(
    'that fails now and then keeps no backup from being whole: %s %s',
    async (service, operation, caller) => {
      const error = { status: 500, code: service === 'kms' ? 'KMSInternalException' : 'InternalFailure' };
      await backups.breakage.inject({ service, operation, caller, times: 2, error });
      const backup = await backups.ended(await backups.start({ shards: [shard] }));
      expect(await backups.breakage.left()).toEqual([]);
      await expectBackupIsWhole(backups, backup, rows);
    },
  );
});
