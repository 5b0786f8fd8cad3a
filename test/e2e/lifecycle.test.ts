import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { passableDirectory } from '../support/temporary-directory.ts';
import { apiClient } from './support/api.ts';
import { type LocalJson, LocalPlatform } from './support/local-platform.ts';
import { takeBackup } from './support/recovery.ts';
import { sharedPlatform } from './support/shared-platform.ts';
import { waitFor } from './support/wait-for.ts';

const run = promisify(execFile);

/** Processes whose command line names a directory. */
async function processesOf(directory: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
  return stdout.split('\n').filter((line) => line.includes(directory));
}

function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((done) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

function addresses(local: LocalJson): string[] {
  return [
    local.baseUrl,
    local.awsEndpointUrl,
    ...local.shards.flatMap(({ writer, readers }) => [writer.url, ...readers.map(({ url }) => url)]),
  ];
}

describe('the life of a local runtime', () => {
  let parent: string;
  let state: string;

  beforeAll(async () => {
    parent = await passableDirectory('mainstay-life-');
    state = join(parent, '.mainstay');
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it('runs beside another one, keeps state through a kill of everything, and leaves nothing when stopped', async () => {
    const first = await LocalPlatform.start(state);
    const before = await first.localJson();
    const shared = await sharedPlatform();
    expect(addresses(before).filter((address) => addresses(shared).includes(address))).toEqual([]);
    for (const name of ['local.json', 'aws.env']) {
      expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
    }
    const backup = await takeBackup(apiClient(before), { shards: ['shard-a'] });
    await execute(before, 'CREATE TABLE kept_through_a_kill AS SELECT 42 AS answer');

    await first.kill();
    await waitFor(async () => (await processesOf(state)).length === 0, {
      what: 'the processes of the killed runtime to end',
    });

    const second = await LocalPlatform.start(state);
    const after = await second.localJson();
    expect(after.adminKey).toBe(before.adminKey);
    const { body } = await apiClient(after)('GET', `/api/disaster-recovery/backups/${backup.id}`);
    expect(body).toMatchObject({ state: 'completed', verified: true });
    expect(await execute(after, 'SELECT answer FROM kept_through_a_kill')).toEqual([{ answer: 42 }]);

    expect(await second.stop()).toBe(0);
    expect(await processesOf(state)).toEqual([]);
    expect(await Promise.all(addresses(after).map(isOpen))).toEqual(addresses(after).map(() => false));
  }, 180_000);

  it('refuses a state directory that another runtime uses, and says so', async () => {
    const { pid } = await sharedPlatform();
    const directory = process.env.MAINSTAY_TEST_STATE ?? '';
    await expect(LocalPlatform.start(directory)).rejects.toThrow(`process ${pid}`);
  }, 60_000);

  it('prints lines to paste that work', async () => {
    const directory = process.env.MAINSTAY_TEST_STATE ?? '';
    const printed = await readFile(join(directory, '..', 'printed.txt'), 'utf8');
    const lines = printed
      .split('\n')
      .flatMap((line) => (line.trim().startsWith('curl ') ? [line.trim()] : []));
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(1)) {
      const { stdout } = await run('sh', ['-c', `${line} -sS -f`]).catch(
        (error: { stderr?: string; code?: number }) => {
          // A machine without curl cannot paste it either.
          if (error.code === 127) return { stdout: '{}' };
          throw error;
        },
      );
      expect(() => JSON.parse(stdout)).not.toThrow();
    }
  });
});

async function execute(local: LocalJson, sql: string): Promise<unknown[]> {
  const url = new URL(local.shards[0]?.writer.url ?? '');
  url.search = '';
  const client = new pg.Client({ connectionString: url.href, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
