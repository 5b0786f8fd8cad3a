import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { allow } from '../aws/emulated-aws.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 5, 1);
const Bucket = 'locked';
let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, objectLock: true });
  emulated.s3.ensureBucket({
    name: 'by-default',
    objectLock: true,
    defaultRetention: { mode: 'COMPLIANCE', days: 7 },
  });
  emulated.s3.ensureBucket({ name: 'unlocked', versioning: 'Enabled' });
});
afterAll(() => emulated.close());
beforeEach(() => {
  emulated.clock.now = start;
});

const inDays = (days: number) => new Date(start + days * day);
async function put(Key: string, input: Partial<PutObjectCommandInput> = {}) {
  const { VersionId } = await emulated.client.send(
    new PutObjectCommand({ Bucket, Key, Body: 'x', ...input }),
  );
  return { Bucket: input.Bucket ?? Bucket, Key, VersionId };
}
type Version = Awaited<ReturnType<typeof put>>;
const remove = (version: Version, BypassGovernanceRetention = false, client = emulated.client) =>
  client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention }));
const retain = (version: Version, Mode: 'GOVERNANCE' | 'COMPLIANCE', days: number, bypass = false) =>
  emulated.client.send(
    new PutObjectRetentionCommand({
      ...version,
      Retention: { Mode, RetainUntilDate: inDays(days) },
      BypassGovernanceRetention: bypass,
    }),
  );
const denied = { name: 'AccessDenied', message: expect.stringContaining('protected by object lock') };

describe('Object Lock', () => {
  it('keeps a version in compliance mode from everyone until its day has come', async () => {
    const version = await put('compliance', {
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: inDays(10),
    });
    await expect(remove(version, true)).rejects.toMatchObject(denied);
    await expect(retain(version, 'COMPLIANCE', 5, true)).rejects.toMatchObject(denied);
    await expect(retain(version, 'GOVERNANCE', 20, true)).rejects.toMatchObject(denied);
    await retain(version, 'COMPLIANCE', 20);
    emulated.clock.now = start + 20 * day;
    await remove(version);
  });

  it('lets governance mode be bypassed by who may', async () => {
    const version = await put('governance', {
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: inDays(10),
    });
    await expect(remove(version)).rejects.toMatchObject(denied);
    await expect(retain(version, 'GOVERNANCE', 5)).rejects.toMatchObject(denied);
    await retain(version, 'GOVERNANCE', 5, true);
    const unprivileged = emulated.asRole(allow('s3:DeleteObjectVersion'));
    await expect(remove(version, true, unprivileged)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:BypassGovernanceRetention'),
    });
    const privileged = emulated.asRole(allow(['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention']));
    await remove(version, true, privileged);
  });

  it('still takes delete markers and new versions', async () => {
    const version = await put('covered', {
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: inDays(10),
    });
    await remove({ ...version, VersionId: undefined });
    await put('covered');
    const head = await emulated.client.send(new HeadObjectCommand(version));
    expect(head).toMatchObject({ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inDays(10) });
  });

  it('names locked versions in a batch, and deletes the others', async () => {
    const locked = await put('batch-locked', { ObjectLockLegalHoldStatus: 'ON' });
    const free = await put('batch-free');
    const Objects = [locked, free].map(({ Key, VersionId }) => ({ Key, ...(VersionId && { VersionId }) }));
    const answer = await emulated.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['batch-free']);
    expect(answer.Errors).toMatchObject([{ Key: 'batch-locked', Code: 'AccessDenied' }]);
  });

  it('holds a version as long as its legal hold is on, bypass or not', async () => {
    const version = await put('held');
    const hold = (Status: 'ON' | 'OFF') =>
      emulated.client.send(new PutObjectLegalHoldCommand({ ...version, LegalHold: { Status } }));
    await hold('ON');
    expect(await emulated.client.send(new GetObjectLegalHoldCommand(version))).toMatchObject({
      LegalHold: { Status: 'ON' },
    });
    await expect(remove(version, true)).rejects.toMatchObject(denied);
    await hold('OFF');
    await remove(version);
  });

  it('locks what is put without a word in a bucket with a default retention', async () => {
    const version = await put('key', { Bucket: 'by-default' });
    expect(await emulated.client.send(new GetObjectRetentionCommand(version))).toMatchObject({
      Retention: { Mode: 'COMPLIANCE', RetainUntilDate: inDays(7) },
    });
    await expect(remove(version, true)).rejects.toMatchObject(denied);
    emulated.clock.now = start + 7 * day;
    await remove(version);
  });

  it('wants a checksum of what it is to lock', async () => {
    await expect(
      emulated.plainClient.send(new PutObjectCommand({ Bucket: 'by-default', Key: 'k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'InvalidRequest', message: expect.stringContaining('Content-MD5 OR') });
  });

  it('refuses dates in the past, half a retention, and buckets without Object Lock', async () => {
    const lock = { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: inDays(1) } as const;
    await expect(put('past', { ...lock, ObjectLockRetainUntilDate: inDays(-1) })).rejects.toMatchObject({
      name: 'InvalidArgument',
    });
    await expect(put('half', { ObjectLockMode: 'COMPLIANCE' })).rejects.toMatchObject({
      name: 'InvalidArgument',
    });
    await expect(put('k', { ...lock, Bucket: 'unlocked' })).rejects.toMatchObject({ name: 'InvalidRequest' });
    const version = await put('k', { Bucket: 'unlocked' });
    await expect(retain(version, 'COMPLIANCE', 1)).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  it('says so where an object has no retention', async () => {
    const version = await put('free');
    await expect(emulated.client.send(new GetObjectRetentionCommand(version))).rejects.toMatchObject({
      name: 'NoSuchObjectLockConfiguration',
    });
  });

  it('shows retention and hold only to who may see them', async () => {
    const version = await put('secretive', {
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: inDays(1),
      ObjectLockLegalHoldStatus: 'ON',
    });
    const blind = emulated.asRole(allow('s3:GetObjectVersion'));
    const head = await blind.send(new HeadObjectCommand(version));
    expect(head.ObjectLockMode).toBeUndefined();
    expect(head.ObjectLockLegalHoldStatus).toBeUndefined();
  });

  it('cannot be taken from a bucket, nor its versioning suspended', () => {
    emulated.s3.ensureBucket({ name: Bucket });
    expect(() => emulated.s3.ensureBucket({ name: Bucket, versioning: 'Suspended' })).toThrow(
      'versioning state cannot be changed',
    );
  });
});
