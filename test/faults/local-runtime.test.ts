import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeParametersCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { discardState } from '../../local/runtime/discard.ts';
import { StateDirectory } from '../../local/runtime/state-directory.ts';
import { apiClient } from '../e2e/support/api.ts';
import { awsConfig, bucketNamed } from '../e2e/support/aws.ts';
import { onShard } from '../e2e/support/databases.ts';
import { type LocalJson, LocalPlatform } from '../e2e/support/local-platform.ts';
import { assemblyWithout } from '../e2e/support/patched-assembly.ts';
import { isOpen, killAll, processesOf } from '../e2e/support/processes.ts';
import { backupEnded, readBackup, startBackup } from '../e2e/support/recovery.ts';
import { assemblyOf, placeAssembly, sharedPlatform } from '../e2e/support/shared-platform.ts';
import { passableDirectory } from '../support/temporary-directory.ts';
import { waitFor } from '../support/wait-for.ts';

function addresses(local: LocalJson): string[] {
  return [
    local.baseUrl,
    local.awsEndpointUrl,
    ...local.shards.flatMap(({ writer, readers }) => [writer.url, ...readers.map(({ url }) => url)]),
  ];
}

/** One runtime from its first start to its end; each test goes on where the one before it stopped. */
describe('the life of a local runtime', () => {
  let parent: string;
  let state: string;
  let temporary: string;
  let platform: LocalPlatform;
  let local: LocalJson;
  let completed: string;

  const begin = (args: readonly string[] = []) => new LocalPlatform(state, args, { TMPDIR: temporary });
  const start = async (args?: readonly string[]) => {
    platform = begin(args);
    await platform.printed('Stop with Ctrl-C');
    local = await platform.localJson();
  };

  beforeAll(async () => {
    parent = await passableDirectory('mainstay-life-');
    state = join(parent, '.mainstay');
    temporary = join(parent, 'tmp');
    await mkdir(temporary);
    await placeAssembly(state);
    // The CDK puts what a function may do with the same objects into one statement.
    await assemblyWithout(assemblyOf(), join(parent, 'cdk.out'), [
      { policy: 'RecoveryPlanChunks', action: 's3:PutObject' },
      { policy: 'MonitoringApi', action: 'rds-db:connect' },
    ]);
  });
  afterAll(async () => {
    killAll(await processesOf(state));
    await rm(parent, { recursive: true, force: true });
  });

  it('can be stopped while it starts, and goes on from there the next time', async () => {
    const early = begin();
    await early.printed('start PostgreSQL');
    expect(await early.stop()).toBe(0);
    expect(early.output).toContain('SIGTERM: stopping');
    expect(await processesOf(state)).toEqual([]);
    expect(await readdir(temporary)).toEqual([]);
    await start();
  }, 120_000);

  it('runs beside another one, at addresses of its own', async () => {
    const shared = await sharedPlatform();
    expect(addresses(local).filter((address) => addresses(shared).includes(address))).toEqual([]);
    for (const name of ['local.json', 'aws.env']) {
      expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
    }
    await expect(LocalPlatform.start(state)).rejects.toThrow(`process ${local.pid}`);
  }, 60_000);

  it('keeps its state through a kill of everything, and ends what that interrupted', async () => {
    const { adminKey } = local;
    completed = await startBackup(apiClient(local));
    expect(await backupEnded(apiClient(local), completed)).toMatchObject({ state: 'completed' });
    await onShard(local, 'shard-a', (client) => client.query('CREATE TABLE kept AS SELECT 42 AS answer'));
    const interrupted = await startBackup(apiClient(local));
    await waitFor(
      async () => (await readBackup(apiClient(local), interrupted)).progress.stage !== 'planning',
      { what: 'the backup to be under way' },
    );
    killAll(await processesOf(state));
    await waitFor(async () => (await processesOf(state)).length === 0, { what: 'everything to be gone' });

    // From here on the app lacks two grants.
    await start(['--assembly', join(parent, 'cdk.out')]);
    expect(local.adminKey).toBe(adminKey);
    expect(await readBackup(apiClient(local), completed)).toMatchObject({
      state: 'completed',
      verified: true,
    });
    const { rows } = await onShard(local, 'shard-a', (client) => client.query('SELECT answer FROM kept'));
    expect(rows).toEqual([{ answer: 42 }]);
    expect((await backupEnded(apiClient(local), interrupted)).state).toMatch(/failed|canceled/);
    await waitFor(async () => (await objectsOf(local, interrupted)) === 0, { what: 'what it stored to go' });
    expect(await objectsOf(local, completed)).toBeGreaterThan(0);
  }, 180_000);

  it('refuses what a policy does not grant, by name of action, resource and role', async () => {
    const call = apiClient(local);
    const backup = await backupEnded(call, await startBackup(call));
    expect(backup.state).toBe('failed');
    const refusal = /User: (\S+) is not authorized to perform: (\S+) on resource: \\?"([^"\\]+)/.exec(
      await logOf('RecoveryPlanChunks'),
    );
    expect(refusal?.slice(1)).toEqual([
      expect.stringMatching(/assumed-role\/\S*RecoveryPlanChunks/),
      expect.stringMatching(/^s3:(GetObjectVersion|PutObject)$/),
      expect.stringMatching(/^arn:aws:s3:::\S+\.json$/),
    ]);
  }, 120_000);

  it('lets nobody into a database who lacks rds-db:connect', async () => {
    const { status, body } = await apiClient(local)('GET', '/api/ready', { key: null });
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'unready',
      dependencies: expect.arrayContaining([
        expect.objectContaining({ name: 'shard:shard-a:writer', state: 'down' }),
      ]),
    });
    expect(await logOf('mainstay-local-shard-a')).toMatch(/rds-db:connect|PAM authentication failed/);
  });

  it('says which call to AWS it does not emulate', async () => {
    const ssm = new SSMClient(awsConfig(local));
    await expect(ssm.send(new DescribeParametersCommand({}))).rejects.toThrow('ssm:DescribeParameters');
  });

  it('leaves no process, port, file of an address or temporary directory behind', async () => {
    expect(await platform.stop('SIGINT')).toBe(0);
    expect(await processesOf(state)).toEqual([]);
    expect(await Promise.all(addresses(local).map(isOpen))).toEqual(addresses(local).map(() => false));
    expect(await readdir(temporary)).toEqual([]);
    expect((await readdir(state)).sort()).toEqual([
      'aws',
      'cdk.out',
      'cdk.out.fingerprint',
      'logs',
      'postgres',
    ]);
  }, 60_000);

  it('discards all of its state when it is told to', async () => {
    await discardState(new StateDirectory(state));
    expect((await readdir(state)).filter((name) => !name.startsWith('cdk.out'))).toEqual([]);
  });

  async function logOf(part: string): Promise<string> {
    const directory = join(state, 'logs');
    const names = (await readdir(directory)).filter((name) => name.includes(part));
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    return texts.join('');
  }
});

async function objectsOf(local: LocalJson, backupId: string): Promise<number> {
  const s3 = new S3Client({ ...awsConfig(local), forcePathStyle: true });
  const request = { Bucket: await bucketNamed(local, 'backups'), Prefix: `backups/${backupId}/` };
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand(request));
  return Versions.length;
}
