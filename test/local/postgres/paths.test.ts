import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listenOnFreePort } from '../../../local/postgres/ports.ts';
import { makeCluster, query, Sandbox } from './support.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await Sandbox.create();
});
afterEach(() => sandbox.dispose());

const links = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('mainstay-pg-'));

describe('a state directory', () => {
  it('may have a path longer than a socket may have, with spaces and quotes', async () => {
    const before = await links();
    const stateDirectory = join(sandbox.directory, `it's "deep" ${'x'.repeat(60)}`, 'y'.repeat(60), 'state');
    await mkdir(stateDirectory, { recursive: true });
    const clusters = await sandbox.clusters({ stateDirectory });
    const { endpoint, instances } = await makeCluster(clusters, 'shard-a', 2);
    const login = { ca: await readFile(clusters.authorityFile, 'utf8') };
    for (const address of [endpoint, ...instances.map((instance) => instance.endpoint)]) {
      expect(await query(address, login, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
    expect((await links()).length).toBeGreaterThan(before.length);
    await clusters.stop();
    expect(await links()).toEqual(before);
  }, 60_000);
});

describe('the choice of a port', () => {
  const taken = (error: string) => Object.assign(new Error(error), { code: error });

  it('begins with the one of an earlier run', async () => {
    expect(await listenOnFreePort('seed', 4321, async (port) => port)).toBe(4321);
  });

  it('goes on while ports are taken, and differs between checkouts', async () => {
    const tried: number[] = [];
    const listen = async (port: number) => {
      tried.push(port);
      if (tried.length < 4) throw taken('EADDRINUSE');
      return port;
    };
    const chosen = await listenOnFreePort('one', 0, listen);
    expect(chosen).toBe(tried.at(-1));
    expect(new Set(tried).size).toBe(4);
    expect(await listenOnFreePort('another', 0, async (port) => port)).not.toBe(tried[0]);
  });

  it('ends with an error of another kind', async () => {
    const listen = () => Promise.reject(taken('EACCES'));
    await expect(listenOnFreePort('seed', 0, listen)).rejects.toMatchObject({ code: 'EACCES' });
  });
});
