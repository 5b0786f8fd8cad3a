import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { restoreIdSchema, shardNameSchema } from '../../../../functions/recovery/ids.ts';
import { restoreRoutes } from '../../../../functions/recovery/restore/contract.ts';
import { cutOver } from '../../../../functions/recovery/restore/point-in-time/cut-over.ts';
import {
  checkWindow,
  settingsOf,
  windowOf,
} from '../../../../functions/recovery/restore/point-in-time/describe-source.ts';
import {
  restoredCluster,
  restoredWriter,
} from '../../../../functions/recovery/restore/point-in-time/names.ts';
import { restoredClusterSchema } from '../../../../functions/recovery/restore/point-in-time/record.ts';
import { wantedOf } from '../../../../functions/recovery/restore/point-in-time/wanted.ts';
import { Problem } from '../../../../functions/shared/problem.ts';
import { shardSchema } from '../../../../functions/shared/shards.ts';
import { clusterName, restoredClusterPrefix } from '../../../../lib/constants.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';

const restoreId = restoreIdSchema.parse('01K9Z5C3W7F1B9D4H6J8M2N5PQ');
const at = '2026-11-21T03:00:00.000Z';

describe('The name of a restored cluster', () => {
  const shards = fc.stringMatching(/^[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,2}$/);
  const environments = fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/);
  const ids = fc.stringMatching(/^[0-9A-Z]{26}$/).map((text) => restoreIdSchema.parse(text));

  it('is one that RDS takes, with its writer’s, and never that of a cluster that was deployed', () => {
    fc.assert(
      fc.property(environments, shards, ids, shards, (environment, shard, id, other) => {
        const prefix = restoredClusterPrefix(environment);
        const name = restoredCluster(prefix, shardNameSchema.parse(shard), id);
        for (const one of [name, restoredWriter(name)])
          expect(one).toMatch(/^[a-z](?!.*--)[a-z0-9-]{0,61}[a-z0-9]$/);
        expect(name.startsWith(prefix)).toBe(true);
        expect(clusterName(environment, other).startsWith(prefix)).toBe(false);
        expect(restoredCluster(prefix, shardNameSchema.parse(shard), id)).toBe(name);
      }),
    );
  });
});

describe('What a new cluster is told', () => {
  const cluster: DBCluster = {
    DBSubnetGroup: 'subnets',
    VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-1' }, { VpcSecurityGroupId: 'sg-2' }],
    DBClusterParameterGroup: 'parameters',
    IAMDatabaseAuthenticationEnabled: true,
    Port: 5433,
    CopyTagsToSnapshot: true,
    EnabledCloudwatchLogsExports: ['postgresql'],
    ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 8, SecondsUntilAutoPause: 900 },
    TagList: [
      { Key: 'team', Value: 'data' },
      { Key: 'aws:cloudformation:stack-name', Value: 'x' },
      { Key: 'mainstay:restore', Value: 'earlier' },
    ],
  };
  const writer: DBInstance = {
    DBInstanceClass: 'db.serverless',
    DBParameterGroups: [{ DBParameterGroupName: 'of-instance' }],
    PromotionTier: 0,
    PerformanceInsightsEnabled: true,
    PerformanceInsightsKMSKeyId: 'arn:key',
    PerformanceInsightsRetentionPeriod: 465,
  };

  it('is what its source has, with the restore’s tag in place of AWS’s own', () => {
    expect(settingsOf(cluster, writer, restoreId)).toEqual({
      subnetGroup: 'subnets',
      securityGroups: ['sg-1', 'sg-2'],
      parameterGroup: 'parameters',
      iamAuthentication: true,
      port: 5433,
      copyTagsToSnapshot: true,
      storageType: 'aurora',
      logExports: ['postgresql'],
      tags: [
        { Key: 'team', Value: 'data' },
        { Key: 'mainstay:restore', Value: restoreId },
      ],
      scaling: { minCapacity: 0.5, maxCapacity: 8 },
      writer: {
        instanceClass: 'db.serverless',
        parameterGroup: 'of-instance',
        tier: 0,
        insights: { key: 'arn:key', days: 465 },
      },
    });
  });

  it('says nothing of what its source has not', () => {
    const { ServerlessV2ScalingConfiguration: _, ...provisioned } = cluster;
    const plain = settingsOf(
      { ...provisioned, StorageType: 'aurora-iopt1' },
      { DBInstanceClass: 'db.r8g.large', PerformanceInsightsEnabled: false },
      restoreId,
    );
    expect(plain).toMatchObject({ scaling: null, storageType: 'aurora-iopt1', writer: { insights: null } });
  });

  it('is a time that RDS has, both ends included', () => {
    const [earliest, latest] = [new Date('2026-11-20T00:00:00Z'), new Date(at)];
    const window = windowOf({ EarliestRestorableTime: earliest, LatestRestorableTime: latest });
    for (const time of [window.earliest, window.latest])
      expect(() => checkWindow('a', window, time)).not.toThrow();
    for (const time of [window.earliest - 1000, window.latest + 1000]) {
      expect(() => checkWindow('a', window, time)).toThrow(
        /from 2026-11-20T00:00:00.000Z to 2026-11-21T03:00:00.000Z/,
      );
    }
    expect(() => windowOf({ DBClusterIdentifier: 'new' })).toThrow('new');
  });
});

describe('A request', () => {
  const parse = (body: unknown) => wantedOf(restoreRoutes.startRestore.body.parse(body));

  it('names a second of UTC, however it is written', () => {
    expect(parse({ pointInTime: '2026-11-21T04:59:59.987+02:00', cutOver: true })).toEqual({
      pointInTime: '2026-11-21T02:59:59.000Z',
      cutOver: true,
    });
    expect(parse({ pointInTime: 'latest' })).toEqual({ pointInTime: 'latest', cutOver: false });
  });

  it.each([
    ['body.backupId', {}],
    ['body.backupId', { backupId: 'x', pointInTime: 'latest' }],
    ['body.mode', { pointInTime: 'latest', mode: 'replace' }],
    ['body.tables', { pointInTime: 'latest', tables: ['a.b'] }],
    ['body.database', { pointInTime: 'latest', database: 'x' }],
    ['body.cutOver', { backupId: 'x', cutOver: true }],
  ])('that mixes both or names neither is refused: %s', (field, body) => {
    const refusal = (() => {
      try {
        return parse(body);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(Problem);
    expect(refusal).toMatchObject({ status: 422, errors: [{ field }] });
  });
});

describe('A cut-over', () => {
  let dynamo: TestDynamo;
  const table = 'shards';
  const source = {
    clusterIdentifier: 'old',
    resourceId: 'cluster-OLD',
    writer: { host: 'old.host', port: 5432 },
  };
  const Key = { pk: 'SHARD', sk: 'shard-a' };
  const restored = restoredClusterSchema.parse({
    ...{ shard: 'shard-a', stage: 'check', source, epoch: 3, identifier: 'new', instance: 'new-writer' },
    ...{ earliest: at, latest: at, resourceId: 'cluster-NEW', writer: { host: 'new.host', port: 5432 } },
  });
  const entry = async () =>
    (await dynamo.client.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }))).Item ?? {};
  const put = (values: object = {}) =>
    dynamo.client.send(
      new PutCommand({
        TableName: table,
        Item: {
          ...Key,
          name: 'shard-a',
          ...source,
          database: 'platform',
          epoch: 3,
          state: 'active',
          ...values,
        },
      }),
    );
  const run = () => cutOver(dynamo.client, table, restored, { restoreId, at });

  beforeAll(async () => {
    dynamo = await startDynamo(table);
  });
  afterAll(() => dynamo.stop());

  it('moves the shard to the new cluster and a new epoch, and remembers where it was', async () => {
    await put();
    await run();
    const moved = await entry();
    expect(shardSchema.parse(moved)).toMatchObject({
      ...{ clusterIdentifier: 'new', resourceId: 'cluster-NEW', writer: restored.writer, epoch: 4 },
    });
    expect(moved.history).toEqual([{ ...source, epoch: 3, replacedAt: at, restoreId }]);
    await run();
    expect(await entry()).toEqual(moved);
  });

  it('keeps a history that does not grow for ever, the latest last', async () => {
    const history = Array.from({ length: 25 }, (_, epoch) => ({
      ...source,
      epoch,
      replacedAt: at,
      restoreId: 'x',
    }));
    await put({ history });
    await run();
    const { history: kept } = await entry();
    expect(kept).toHaveLength(20);
    expect(kept.at(-1)).toMatchObject({ epoch: 3, restoreId });
  });

  it.each([
    ['another epoch', { epoch: 4 }],
    ['another cluster', { clusterIdentifier: 'third' }],
  ])('of a shard that has moved on to %s changes nothing', async (_, values) => {
    await put(values);
    const before = await entry();
    await expect(run()).rejects.toMatchObject({ name: 'RestoreConflictError' });
    expect(await entry()).toEqual(before);
  });
});
