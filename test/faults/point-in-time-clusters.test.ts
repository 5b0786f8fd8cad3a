import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { PostgresClusters } from '../../local/postgres/clusters.ts';
import { type Login, makeCluster, query, Sandbox, until } from '../local/postgres/support.ts';

jest.setTimeout(120_000);

/** The next full second has begun: what is committed from now on is later than what was before. */
async function nextSecond(): Promise<number> {
  const second = Math.floor(Date.now() / 1000) + 1;
  await until('the next second', () => Date.now() > second * 1000);
  return second * 1000;
}

describe('a cluster of this machine', () => {
  let sandbox: Sandbox;
  let clusters: PostgresClusters;
  let login: Login;
  const on = (identifier: string, text: string) =>
    query(clusters.cluster(identifier).describe().endpoint, login, text);
  const valuesIn = async (identifier: string) =>
    (await on(identifier, 'SELECT value FROM kept ORDER BY 1')).map(({ value }) => value);
  const restore = async (identifier: string, source: string, time: number | undefined) => {
    await clusters.restoreCluster({ identifier, source, time, iamAuthentication: true });
    await until(
      `${identifier} is there`,
      () => clusters.cluster(identifier).describe().status !== 'creating',
      60_000,
    );
    expect(clusters.cluster(identifier).describe()).toMatchObject({ status: 'available', instances: [] });
    return clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-1` });
  };

  beforeAll(async () => {
    sandbox = await Sandbox.create();
    clusters = await sandbox.clusters({ pointInTime: true });
    await makeCluster(clusters, 'source', 2);
    login = { ca: await readFile(clusters.authorityFile, 'utf8') };
    await clusters.takeBaseBackups();
    await on('source', 'CREATE TABLE kept AS SELECT 1 AS value');
  });
  afterAll(() => sandbox.dispose());

  it('is brought to a second in its past, and to its end, each beside it with an identity of its own', async () => {
    const window = clusters.cluster('source').restorable();
    expect(window?.earliest).toBeLessThanOrEqual(window?.latest ?? 0);
    const before = await nextSecond();
    await nextSecond();
    await on('source', 'DELETE FROM kept');
    const source = clusters.cluster('source').describe();
    const restored = await restore('earlier', 'source', before);
    expect(await valuesIn('earlier')).toEqual([1]);
    expect(restored.resourceId).not.toBe(source.resourceId);
    expect(restored.endpoint).not.toEqual(source.endpoint);
    await restore('latest', 'source', undefined);
    expect(await valuesIn('latest')).toEqual([]);
    expect(await valuesIn('source')).toEqual([]);
    await on('earlier', 'INSERT INTO kept VALUES (2)');
    await clusters.ensureInstance({ cluster: 'earlier', identifier: 'earlier-2' });
    expect(await valuesIn('earlier')).toEqual([1, 2]);
  });

  it('is there again after a restart, and can itself be restored', async () => {
    await clusters.stop();
    expect(await sandbox.processes()).toEqual([]);
    clusters = await sandbox.clusters({ pointInTime: true });
    expect(await valuesIn('earlier')).toEqual([1, 2]);
    await clusters.takeBaseBackups();
    const time = await nextSecond();
    await restore('again', 'earlier', time);
    expect(await valuesIn('again')).toEqual([1, 2]);
    expect(clusters.describeForLocalJson().map(({ identifier }) => identifier)).toEqual(['source']);
  });

  it('keeps its data when its last instance is removed, and gets one again', async () => {
    await clusters.removeInstance('again', 'again-1');
    expect(clusters.cluster('again').describe()).toMatchObject({ status: 'available', instances: [] });
    await clusters.ensureInstance({ cluster: 'again', identifier: 'again-2' });
    expect(await valuesIn('again')).toEqual([1, 2]);
    await clusters.removeCluster('again');
    expect(await readdir(join(sandbox.stateDirectory, 'postgres'))).not.toContain('again-2');
  });

  it('is restored to the end when its writer was killed, with what the archiver had not copied', async () => {
    await on('source', 'INSERT INTO kept VALUES (7)');
    const { instances } = clusters.cluster('source').describe();
    const writer = instances.find((instance) => instance.writer);
    process.kill(writer?.pid ?? 0, 'SIGKILL');
    await until('it is noticed', () => clusters.cluster('source').describe().instances[0]?.pid === undefined);
    await restore('killed', 'source', clusters.cluster('source').restorable()?.latest);
    await restore('killed-latest', 'source', undefined);
    expect(await valuesIn('killed-latest')).toEqual([7]);
    await until('it runs again', () => clusters.cluster('source').describe().instances[0]?.pid !== undefined);
  });

  it('begins a new window when another instance is promoted', async () => {
    const before = clusters.cluster('source').restorable();
    await clusters.promote('source', 'source-2');
    expect(clusters.cluster('source').restorable()).toBeUndefined();
    await clusters.takeBaseBackups();
    expect(clusters.cluster('source').restorable()?.earliest).toBeGreaterThan(before?.earliest ?? 0);
    await on('source', 'INSERT INTO kept VALUES (8)');
    const time = await nextSecond();
    await restore('promoted', 'source', time);
    expect(await valuesIn('promoted')).toEqual([7, 8]);
  });
});
