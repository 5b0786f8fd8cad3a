import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { Backups } from './support/backups.ts';
import { onShard } from './support/databases.ts';
import { digestLoggedTables, RestoredClusters } from './support/restored-clusters.ts';
import { Restores } from './support/restores.ts';

const shard = 'shard-b';

describe('a restore to a point in time', () => {
  let backups: Backups;
  let restores: Restores;
  let clusters: RestoredClusters;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    clusters = new RestoredClusters(backups.local);
  });
  afterAll(async () => {
    await onShard(backups.local, shard, (client) => client.query('DROP TABLE IF EXISTS public.lost'));
    await clusters.tidy();
  });

  it('brings back, in a cluster beside the shard’s, every row as it was in the second before a DELETE', async () => {
    await clusters.restorable(shard);
    await onShard(backups.local, shard, (client) =>
      client.query(
        'CREATE TABLE public.lost AS SELECT g AS id, md5(g::text) AS value FROM generate_series(1, 500) g',
      ),
    );
    const before = await onShard(backups.local, shard, digestLoggedTables);
    const time = Math.ceil(Date.now() / 1000) * 1000;
    await waitFor(() => Date.now() > time + 1000, { what: 'the second to be over', intervalMs: 20 });
    await onShard(backups.local, shard, (client) => client.query('DELETE FROM public.lost'));
    const after = await onShard(backups.local, shard, digestLoggedTables);

    const restore = await restores.take({ pointInTime: new Date(time).toISOString(), shards: [shard] });
    const [cluster] = restore.clusters;
    expect(restore).toMatchObject({ kind: 'point-in-time', backupId: null, mode: 'new', shards: [shard] });
    expect(cluster).toMatchObject({
      shard,
      cutOverAt: null,
      clusterIdentifier: expect.stringMatching(/^mainstay-local-0-shard-b-/),
    });
    expect(cluster?.resourceId).not.toBe(cluster?.source.resourceId);
    expect(await onShard(clusters.reach(restore, shard), shard, digestLoggedTables)).toEqual(before);
    // The shard itself is as it was, and stays the platform's.
    expect(await onShard(backups.local, shard, digestLoggedTables)).toEqual(after);
    expect(after).not.toEqual(before);
  });
});
