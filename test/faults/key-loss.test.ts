import {
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ListKeysCommand,
} from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Operation, operationSchema } from '../../functions/recovery/model.ts';
import { awsConfig } from '../e2e/support/aws.ts';
import { Backups } from '../e2e/support/backups.ts';
import { digestTables, onShard } from '../e2e/support/databases.ts';
import { Drills } from '../e2e/support/drills.ts';
import { root } from '../e2e/support/recovery.ts';
import { Restores } from '../e2e/support/restores.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';

describe('a backup whose keys are lost', () => {
  let backups: Backups;
  let restores: Restores;
  let backupId: string;
  let kms: KMSClient;
  const keys = { encryption: '', mac: '' };

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    kms = new KMSClient(awsConfig(backups.local));
    keys.encryption = await keyDescribed('wraps the data keys of backups');
    keys.mac = await keyDescribed('authenticates backup manifests');
    backupId = (await backups.take({ type: 'full', shards: [shard] })).id;
  });
  afterEach(async () => {
    for (const KeyId of Object.values(keys)) await kms.send(new EnableKeyCommand({ KeyId }));
  });
  afterAll(async () => {
    kms?.destroy();
    await restores?.tidy();
    await backups?.tidy();
  });

  async function keyDescribed(text: string): Promise<string> {
    const { Keys = [] } = await kms.send(new ListKeysCommand({}));
    for (const { KeyId } of Keys) {
      const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
      if (KeyMetadata?.Description?.includes(text)) return KeyMetadata.Arn ?? '';
    }
    throw new Error(`There is no key that ${text}`);
  }

  const disable = async (...lost: string[]): Promise<void> => {
    for (const KeyId of lost) await kms.send(new DisableKeyCommand({ KeyId }));
  };

  async function verify(source: 'kms' | 'escrow'): Promise<Operation> {
    const body = { backupId, keys: source };
    const { status, headers } = await backups.call('POST', `${root}/encryption/verify`, { body });
    expect(status).toBe(202);
    return waitFor(
      async () => {
        const operation = operationSchema.parse(
          (await backups.call('GET', headers.get('location') ?? '')).body,
        );
        return ['completed', 'failed', 'canceled'].includes(operation.state) && operation;
      },
      { what: 'the end of the verification', timeoutMs: 120_000, intervalMs: 300 },
    );
  }

  it('is not verified by KMS then, and the failure names the key', async () => {
    await disable(keys.encryption);
    expect(await verify('kms')).toMatchObject({
      state: 'failed',
      error: {
        code: 'DependencyError',
        message: expect.stringMatching(new RegExp(`Disabled.*${keys.encryption}`)),
      },
    });
  });

  it.each([
    ['the key of backups', ['encryption']],
    ['the key of MACs', ['mac']],
    ['both', ['encryption', 'mac']],
  ] as const)('is verified by the passphrase without %s', async (_, lost) => {
    await disable(...lost.map((name) => keys[name]));
    expect(await verify('escrow')).toMatchObject({
      state: 'completed',
      intact: true,
      keys: 'escrow',
      findingsTotal: 0,
    });
  });

  it('keeps what was known of it: a rehearsal says nothing about the backup', async () => {
    const { verification } = await backups.read(backupId);
    await verify('escrow');
    expect((await backups.read(backupId)).verification).toEqual(verification);
  });

  it('is restored by the passphrase without both keys, and not by KMS', async () => {
    await disable(keys.encryption, keys.mac);
    const failed = await restores.ended(await restores.start({ backupId, database: 'platform_lost_kms' }));
    expect(failed).toMatchObject({ state: 'failed', error: { message: expect.stringContaining(keys.mac) } });
    const database = 'platform_lost_escrow';
    const restore = await restores.take({ backupId, database, keys: 'escrow' });
    expect(restore).toMatchObject({ identical: true, keys: 'escrow' });
    expect(await onShard(backups.local, shard, digestTables, database)).toEqual(
      await onShard(backups.local, shard, digestTables),
    );
  });

  it('is drilled with the passphrase without both keys, and not with KMS', async () => {
    const drills = new Drills(backups.call);
    await disable(keys.encryption, keys.mac);
    const drill = { restorePoint: backupId, reuseVerification: false };
    const failed = await drills.ended(await drills.start(drill));
    expect(failed).toMatchObject({ state: 'failed', error: { message: expect.stringContaining(keys.mac) } });
    expect(await drills.take({ ...drill, keys: 'escrow' })).toMatchObject({ keys: 'escrow' });
  });

  it('is not opened by replicas that the deployment does not have, and that is said at once', async () => {
    const body = { backupId, keys: 'replica' };
    const { status, body: answer } = await backups.call('POST', `${root}/encryption/verify`, { body });
    expect({ status, answer }).toMatchObject({ status: 422, answer: { errors: [{ field: 'body.keys' }] } });
  });
});
