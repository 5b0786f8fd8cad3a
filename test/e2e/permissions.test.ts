import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { passableDirectory } from '../support/temporary-directory.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { LocalPlatform } from './support/local-platform.ts';
import { assemblyWithout } from './support/patched-assembly.ts';
import { backupEnded, startBackup } from './support/recovery.ts';
import { assemblyOf } from './support/shared-platform.ts';

describe('a platform whose policies lack a grant', () => {
  let parent: string;
  let platform: LocalPlatform;
  let call: ApiClient;

  beforeAll(async () => {
    parent = await passableDirectory('mainstay-grants-');
    const assembly = join(parent, 'cdk.out');
    // The CDK puts what a function may do with the same objects into one statement.
    await assemblyWithout(assemblyOf(), assembly, [
      { policy: 'RecoveryPlanChunks', action: 's3:PutObject' },
      { policy: 'MonitoringApi', action: 'rds-db:connect' },
    ]);
    platform = await LocalPlatform.start(join(parent, '.mainstay'), ['--assembly', assembly]);
    call = apiClient(await platform.localJson());
  }, 120_000);

  afterAll(async () => {
    await platform.stop();
    await rm(parent, { recursive: true, force: true });
  });

  it('is refused by name of action, resource and role', async () => {
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
  }, 60_000);

  it('cannot connect to a database without rds-db:connect', async () => {
    const { status, body } = await call('GET', '/api/ready', { key: null });
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unready' });
    const dependencies = JSON.parse(JSON.stringify(body)).dependencies;
    expect(dependencies).toContainEqual(
      expect.objectContaining({ name: 'shard:shard-a:writer', state: 'down' }),
    );
    expect(await logOf('mainstay-local-shard-a')).toMatch(/rds-db:connect|PAM authentication failed/);
  });

  async function logOf(part: string): Promise<string> {
    const directory = join(parent, '.mainstay', 'logs');
    const names = (await readdir(directory)).filter((name) => name.includes(part));
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
    return texts.join('');
  }
});
