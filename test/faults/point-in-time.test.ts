import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { awsConfig, tableNamed } from '../e2e/support/aws.ts';
import { Backups } from '../e2e/support/backups.ts';
import { countAllRows, onShard } from '../e2e/support/databases.ts';
import { root } from '../e2e/support/recovery.ts';
import { digestLoggedTables, RestoredClusters } from '../e2e/support/restored-clusters.ts';
import { Restores } from '../e2e/support/restores.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const shard = 'shard-b';
const latest = { pointInTime: 'latest', shards: [shard] };

describe('a restore to a point in time', () => {
  let backups: Backups;
  let restores: Restores;
  let clusters: RestoredClusters;
  let dynamo: DynamoDBDocumentClient;
  let table: string;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    clusters = new RestoredClusters(backups.local);
    dynamo = DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(backups.local)));
    table = await tableNamed(backups.local, 'Shards');
    await clusters.restorable(shard);
  });
  afterEach(async () => {
    await backups.breakage.mend();
    if ((await entry()).clusterIdentifier !== 'mainstay-local-shard-b') await undo();
    await clusters.tidy();
  });
  afterAll(() => backups.tidy());

  const entry = async () =>
    (await dynamo.send(new GetCommand({ TableName: table, Key: { pk: 'SHARD', sk: shard } }))).Item ?? {};
  /** What docs/operations/point-in-time.md says to do by hand. */
  const undo = async () => {
    const { history = [], epoch } = await entry();
    const { clusterIdentifier, resourceId, writer } = history.at(-1);
    await dynamo.send(
      new UpdateCommand({
        TableName: table,
        Key: { pk: 'SHARD', sk: shard },
        UpdateExpression: 'SET clusterIdentifier = :c, resourceId = :r, writer = :w, epoch = :next',
        ConditionExpression: 'epoch = :epoch',
        ExpressionAttributeValues: {
          ':c': clusterIdentifier,
          ':r': resourceId,
          ':w': writer,
          ':epoch': epoch,
          ':next': epoch + 1,
        },
      }),
    );
  };

  it('has the platform work with the new cluster when it is asked to, and can be undone by hand', async () => {
    const before = await entry();
    const source = await onShard(backups.local, shard, digestLoggedTables);
    const restore = await restores.take({ ...latest, cutOver: true });
    const [cluster] = restore.clusters;
    expect(cluster?.cutOverAt).toEqual(expect.any(String));
    expect(await entry()).toMatchObject({
      clusterIdentifier: cluster?.clusterIdentifier,
      resourceId: cluster?.resourceId,
      writer: cluster?.writer,
      epoch: before.epoch + 1,
      history: [{ clusterIdentifier: before.clusterIdentifier, epoch: before.epoch, restoreId: restore.id }],
    });
    expect(await onShard(clusters.reach(restore, shard), shard, digestLoggedTables)).toEqual(source);
    // Backups are of the new cluster, by grants that were made before it was.
    await onShard(clusters.reach(restore, shard), shard, (client) =>
      client.query('CREATE TABLE public.only_there AS SELECT g FROM generate_series(1, 7) g'),
    );
    await waitFor(
      async () => {
        const backup = await backups.take({ type: 'full', shards: [shard] });
        return backup.rows === (await onShard(clusters.reach(restore, shard), shard, countAllRows));
      },
      { what: 'a backup of the new cluster', timeoutMs: 90_000, intervalMs: 5_000 },
    );
    await undo();
    expect(await entry()).toMatchObject({
      clusterIdentifier: before.clusterIdentifier,
      epoch: before.epoch + 2,
    });
  });

  it.each([
    ['before', -3_600_000],
    ['after', 3_600_000],
  ])('to a time %s those there are fails, names them, and makes nothing', async (_, offsetMs) => {
    const pointInTime = new Date(Date.now() + offsetMs).toISOString();
    const restore = await restores.ended(await restores.start({ ...latest, pointInTime }));
    expect(restore).toMatchObject({ state: 'failed', error: { code: 'RestoreConflictError' } });
    expect(restore.error?.message).toMatch(/only to times from \S+Z to \S+Z/);
    expect(await clusters.names()).toEqual([]);
  });

  it('only looks when it is asked to', async () => {
    const restore = await restores.take({ ...latest, dryRun: true });
    expect(restore.clusters).toMatchObject([
      { resourceId: null, source: { clusterIdentifier: 'mainstay-local-shard-b' } },
    ]);
    expect(await clusters.names()).toEqual([]);
  });

  it('leaves nothing when it is canceled in between', async () => {
    const id = await restores.start(latest);
    await waitFor(async () => (await clusters.names()).length === 1, { what: 'the cluster', intervalMs: 50 });
    expect((await backups.call('POST', `${root}/restore/${id}/cancel`)).status).toBe(202);
    expect(await restores.ended(id)).toMatchObject({ state: 'canceled' });
    await waitFor(async () => (await clusters.names()).length === 0, {
      what: 'the cluster to be removed',
      timeoutMs: 60_000,
    });
    expect((await backups.call('POST', `${root}/restore/${id}/resume`)).status).toBe(409);
  });

  it('that failed goes on where it was when it is resumed, and is removed when it is given up', async () => {
    await backups.breakage.inject({
      ...{ service: 'rds', operation: 'CreateDBInstance', times: 100 },
      error: { status: 400, code: 'InsufficientDBInstanceCapacity' },
    });
    const id = await restores.start(latest);
    const failed = await restores.ended(id);
    expect(failed).toMatchObject({ state: 'failed', resumableUntil: expect.any(String) });
    const [before] = await clusters.names();
    await backups.breakage.mend();
    expect((await backups.call('POST', `${root}/restore/${id}/resume`)).status).toBe(202);
    const resumed = await restores.until(id, 'the end', ({ state }) => state === 'completed');
    expect(resumed).toMatchObject({ attempts: 2, clusters: [{ clusterIdentifier: before }] });
  });

  it.each(['RecoveryPointInTime', 'RecoveryCheckPointInTime'])(
    'is done when a function of it is killed: %s',
    async (part) => {
      await backups.breakage.kill(part, { when: 'next-invocation', afterMs: 50 });
      expect(await restores.take(latest)).toMatchObject({ clusters: [{ relations: expect.any(Number) }] });
    },
  );

  it('of two at once both make a cluster, and one alone is cut over', async () => {
    const ids = [
      await restores.start({ ...latest, cutOver: true }),
      await restores.start({ ...latest, cutOver: true }),
    ];
    const ended = await Promise.all(ids.map((id) => restores.ended(id)));
    const states = ended.map(({ state }) => state).sort();
    expect(states).toEqual(['completed', 'failed']);
    const lost = ended.find(({ state }) => state === 'failed');
    expect(lost?.error).toMatchObject({
      code: 'RestoreConflictError',
      message: expect.stringContaining(shard),
    });
    const won = ended.find(({ state }) => state === 'completed');
    expect(await entry()).toMatchObject({ clusterIdentifier: won?.clusters[0]?.clusterIdentifier });
    // Given up, the other's cluster goes, and the platform's stays.
    expect((await backups.call('POST', `${root}/restore/${lost?.id}/cancel`)).status).toBe(202);
    await waitFor(async () => (await clusters.names()).length === 1, {
      what: 'the other cluster to be removed',
      timeoutMs: 60_000,
    });
    expect(await clusters.names()).toEqual([won?.clusters[0]?.clusterIdentifier]);
    await undo();
  });
});
