import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DBClusterNotFoundFault,
  DescribeDBClusterEndpointsCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  type DescribeDBClustersCommandInput,
  DescribeDBInstancesCommand,
  DescribeGlobalClustersCommand,
  FailoverDBClusterCommand,
  FailoverGlobalClusterCommand,
  ListTagsForResourceCommand,
  paginateDescribeDBInstances,
  RDSClient,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { discoverInstances } from '../../../functions/failover/discovery/discover-instances.ts';
import type { ServiceEvent } from '../../../local/events/event.ts';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import { type DbCluster, RdsService } from '../../../local/rds/rds-service.ts';
import { accountId, allow, type EmulatedAws, region, startAws } from '../aws/emulated-aws.ts';
import { query, Sandbox, until } from '../postgres/support.ts';

const arn = (kind: string, name: string) => `arn:aws:rds:${region}:${accountId}:${kind}:${name}`;

let sandbox: Sandbox;
let clusters: PostgresClusters;
let rds: RdsService;
let aws: EmulatedAws;
let client: RDSClient;
let cluster: DbCluster;
const secrets = new Map<string, string>();
const events: ServiceEvent[] = [];

const newService = () =>
  new RdsService({
    region,
    accountId,
    directory: join(sandbox.directory, 'rds'),
    clusters,
    createSecret: (name, json) => {
      secrets.set(name, json);
      return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}`;
    },
    putEvent: (event) => events.push(event),
  });

const request = {
  identifier: 'shard-a',
  name: 'shard-a',
  databaseName: 'platform',
  masterUsername: 'mainstay_master',
  iamAuthentication: true,
  deletionProtection: true,
  backupRetentionPeriod: 7,
  serverlessV2: { minCapacity: 0.5, maxCapacity: 4 },
  tags: { environment: 'local' },
};

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await sandbox.clusters({ pointInTime: true });
  rds = newService();
  cluster = await rds.ensureCluster(request);
  await rds.ensureInstance({ cluster: 'shard-a', identifier: 'shard-a-1', promotionTier: 0 });
  await rds.ensureInstance({ cluster: 'shard-a', identifier: 'shard-a-2' });
  await clusters.takeBaseBackups();
  await rds.ensureCluster({ ...request, identifier: 'empty', name: 'empty', iamAuthentication: false });
  aws = await startAws(() => [rds.api]);
  client = new RDSClient(aws.client());
}, 60_000);

afterAll(async () => {
  await aws.close();
  await sandbox.dispose();
});

describe('a cluster', () => {
  it('is described as AWS describes it', async () => {
    const { DBClusters } = await client.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: 'shard-a' }),
    );
    expect(DBClusters).toHaveLength(1);
    expect(DBClusters?.[0]).toMatchObject({
      DBClusterIdentifier: 'shard-a',
      DBClusterArn: arn('cluster', 'shard-a'),
      DbClusterResourceId: cluster.resourceId,
      Status: 'available',
      Engine: 'aurora-postgresql',
      EngineVersion: expect.stringMatching(/^18\.\d+$/),
      DatabaseName: 'platform',
      MasterUsername: 'mainstay_master',
      Endpoint: '127.0.0.1',
      Port: cluster.endpoint.port,
      IAMDatabaseAuthenticationEnabled: true,
      DeletionProtection: true,
      BackupRetentionPeriod: 7,
      MasterUserSecret: { SecretArn: cluster.masterUserSecretArn, SecretStatus: 'active' },
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      TagList: [{ Key: 'environment', Value: 'local' }],
      DBClusterMembers: [
        { DBInstanceIdentifier: 'shard-a-1', IsClusterWriter: true, PromotionTier: 0 },
        { DBInstanceIdentifier: 'shard-a-2', IsClusterWriter: false, PromotionTier: 1 },
      ],
    });
    const { EarliestRestorableTime: earliest, LatestRestorableTime: latest } = DBClusters?.[0] ?? {};
    expect(Date.now() - (latest?.getTime() ?? 0)).toBeLessThan(10_000);
    expect(earliest?.getTime()).toBeLessThanOrEqual(latest?.getTime() ?? 0);
    expect(cluster.resourceId).toMatch(/^cluster-[A-Z0-9]{26}$/);
    expect(cluster.resourceId).toMatch(/^cluster-[A-Z0-9]{26}$/);
  });

  it('is found by its ARN, by its name in any case, and by filters', async () => {
    const named = async (input: DescribeDBClustersCommandInput) =>
      (await client.send(new DescribeDBClustersCommand(input))).DBClusters?.map(
        (one) => one.DBClusterIdentifier,
      );
    expect(await named({ DBClusterIdentifier: arn('cluster', 'shard-a') })).toEqual(['shard-a']);
    expect(await named({ DBClusterIdentifier: 'SHARD-A' })).toEqual(['shard-a']);
    expect(await named({})).toEqual(['shard-a', 'empty']);
    const filter = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] });
    expect(await named(filter('db-cluster-id', 'empty', 'missing'))).toEqual(['empty']);
    expect(await named(filter('db-cluster-resource-id', cluster.resourceId))).toEqual(['shard-a']);
    expect(await named(filter('engine', 'mysql'))).toEqual([]);
    await expect(named(filter('colour', 'red'))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(named(filter('constructor', 'red'))).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
  });

  it('has no instances until they are created', async () => {
    const { DBClusters } = await client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'empty' }));
    expect(DBClusters?.[0]?.DBClusterMembers).toEqual([]);
  });

  it('that does not exist is a DBClusterNotFoundFault', async () => {
    const attempt = client.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'missing' }));
    await expect(attempt).rejects.toBeInstanceOf(DBClusterNotFoundFault);
    await expect(attempt).rejects.toMatchObject({ message: 'DBCluster missing not found.' });
  });

  it('has its built-in endpoints listed', async () => {
    const { DBClusterEndpoints } = await client.send(
      new DescribeDBClusterEndpointsCommand({ DBClusterIdentifier: 'shard-a' }),
    );
    expect(DBClusterEndpoints?.[0]).toMatchObject({ EndpointType: 'WRITER', Endpoint: '127.0.0.1' });
    expect(DBClusterEndpoints).toHaveLength(cluster.readerEndpoint === undefined ? 1 : 2);
  });
});

describe('an instance', () => {
  it('is described with its own endpoint', async () => {
    const { DBInstances } = await client.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'shard-a-2' }),
    );
    expect(DBInstances?.[0]).toMatchObject({
      DBInstanceIdentifier: 'shard-a-2',
      DBInstanceArn: arn('db', 'shard-a-2'),
      DBClusterIdentifier: 'shard-a',
      DBInstanceClass: 'db.serverless',
      DBInstanceStatus: 'available',
      DbiResourceId: expect.stringMatching(/^db-[A-Z0-9]{26}$/),
    });
    const endpoint = {
      host: DBInstances?.[0]?.Endpoint?.Address ?? '',
      port: DBInstances?.[0]?.Endpoint?.Port ?? 0,
    };
    const password = clusters.cluster('shard-a').state.masterPassword;
    const login = { ca: await readFile(clusters.authorityFile, 'utf8'), password };
    expect(await query(endpoint, login, 'SELECT pg_is_in_recovery() AS reader')).toEqual([{ reader: true }]);
  });

  it('that does not exist is a DBInstanceNotFound', async () => {
    const attempt = client.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'missing' }));
    await expect(attempt).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
  });

  it("is listed by the SDK's paginator, and filtered by cluster", async () => {
    const found: (string | undefined)[] = [];
    const filters = { Filters: [{ Name: 'db-cluster-id', Values: [arn('cluster', 'shard-a')] }] };
    for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client }, filters)) {
      found.push(...DBInstances.map((instance) => instance.DBInstanceIdentifier));
    }
    expect(found).toEqual(['shard-a-1', 'shard-a-2']);
  });

  it.each([{ MaxRecords: 19 }, { MaxRecords: 101 }, { Marker: 'nonsense' }])(
    'is not listed with %j',
    async (input) => {
      await expect(client.send(new DescribeDBInstancesCommand(input))).rejects.toMatchObject({
        name: 'InvalidParameterValue',
      });
    },
  );
});

describe("the master user's secret", () => {
  it('is made once, and holds what connects', async () => {
    expect(secrets.size).toBe(2);
    const again = await newService().ensureCluster(request);
    expect(again).toEqual(cluster);
    expect(secrets.size).toBe(2);
    const name = cluster.masterUserSecretArn?.split(':secret:')[1] ?? '';
    expect(name).toMatch(/^rds!cluster-[0-9a-f-]{36}$/);
    const { username: user, password } = JSON.parse(secrets.get(name) ?? '');
    const login = { ca: await readFile(clusters.authorityFile, 'utf8'), user, password };
    expect(await query(cluster.endpoint, login, 'SELECT current_user')).toEqual([
      { current_user: 'mainstay_master' },
    ]);
  });
});

describe('IAM', () => {
  it('decides by the ARN of the cluster that is asked for', async () => {
    const mine = new RDSClient(aws.asRole(allow('rds:DescribeDBClusters', arn('cluster', 'shard-a'))));
    await expect(
      mine.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'shard-a' })),
    ).resolves.toBeDefined();
    for (const input of [{ DBClusterIdentifier: 'empty' }, {}]) {
      await expect(mine.send(new DescribeDBClustersCommand(input))).rejects.toMatchObject({
        name: 'AccessDenied',
        message: /rds:DescribeDBClusters/,
      });
    }
    await expect(
      mine.send(new FailoverDBClusterCommand({ DBClusterIdentifier: 'shard-a' })),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});

describe('RDS', () => {
  it('lists the tags of a resource', async () => {
    const tags = (ResourceName: string) => client.send(new ListTagsForResourceCommand({ ResourceName }));
    expect((await tags(arn('cluster', 'shard-a'))).TagList).toEqual([{ Key: 'environment', Value: 'local' }]);
    expect((await tags(arn('db', 'shard-a-1'))).TagList ?? []).toEqual([]);
    await expect(tags(arn('cluster', 'missing'))).rejects.toBeInstanceOf(DBClusterNotFoundFault);
  });

  it('names what it does not emulate', async () => {
    await expect(client.send(new DescribeDBClusterSnapshotsCommand({}))).rejects.toMatchObject({
      name: 'NotEmulated',
      message: /DescribeDBClusterSnapshots/,
    });
  });

  it('has no global clusters, and checks what is asked of them', async () => {
    expect((await client.send(new DescribeGlobalClustersCommand({}))).GlobalClusters ?? []).toEqual([]);
    const both = { GlobalClusterIdentifier: 'World', TargetDbClusterIdentifier: 'shard-a' };
    const failover = (more: object) => client.send(new FailoverGlobalClusterCommand({ ...both, ...more }));
    await expect(failover({ AllowDataLoss: true, Switchover: true })).rejects.toMatchObject({
      name: 'InvalidParameterCombination',
    });
    const attempts = [
      failover({ AllowDataLoss: true }),
      client.send(new SwitchoverGlobalClusterCommand(both)),
    ];
    for (const attempt of attempts) {
      await expect(attempt).rejects.toMatchObject({ name: 'GlobalClusterNotFoundFault', message: /world/ });
    }
    const mine = new RDSClient(aws.asRole(allow('rds:FailoverGlobalCluster', arn('cluster', 'shard-a'))));
    await expect(mine.send(new FailoverGlobalClusterCommand(both))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: /global-cluster:world/,
    });
  });

  it('fails over to the reader on request, also from a writer that hangs, and tells', async () => {
    const failover = (target?: string) =>
      client.send(
        new FailoverDBClusterCommand({ DBClusterIdentifier: 'shard-a', TargetDBInstanceIdentifier: target }),
      );
    await expect(failover('missing')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' });
    await expect(failover('shard-a-1')).rejects.toMatchObject({ name: 'InvalidDBClusterStateFault' });
    await clusters.cluster('shard-a').signal('shard-a-1', 'SIGSTOP');
    events.length = 0;
    expect((await failover()).DBCluster?.Status).toBe('failing-over');
    await until('the reader is the writer', async () => {
      const { DBClusters } = await client.send(
        new DescribeDBClustersCommand({ DBClusterIdentifier: 'shard-a' }),
      );
      const writer = DBClusters?.[0]?.DBClusterMembers?.find((member) => member.IsClusterWriter);
      return DBClusters?.[0]?.Status === 'available' && writer?.DBInstanceIdentifier === 'shard-a-2';
    });
    expect(events).toMatchObject([
      { source: 'aws.rds', detailType: 'RDS DB Cluster Event', detail: { EventID: 'RDS-EVENT-0073' } },
      {
        resources: [arn('cluster', 'shard-a')],
        detail: { EventID: 'RDS-EVENT-0071', Message: 'Completed failover to DB instance: shard-a-2' },
      },
    ]);
    await clusters.cluster('shard-a').settled();
    await expect(
      client.send(new FailoverDBClusterCommand({ DBClusterIdentifier: 'empty' })),
    ).rejects.toMatchObject({
      name: 'InvalidDBClusterStateFault',
    });
  }, 30_000);
});

describe('what is found of a shard by the RDS API', () => {
  it('is its instances, where they are, and which one writes', async () => {
    const regions = { rds: client, inRegion: () => client, globalOf: () => undefined };
    const parts = { ...regions, selfManaged: {}, now: () => Date.parse('2026-11-21T12:00:00Z') };
    const writer = cluster.endpoint;
    const found = await discoverInstances({ name: 'a', clusterIdentifier: 'shard-a', writer }, parts);
    const described = clusters.cluster('shard-a').describe().instances;
    expect(found).toEqual({
      shard: 'a',
      at: '2026-11-21T12:00:00.000Z',
      engine: 'cluster',
      instances: described
        .map(({ identifier, endpoint, writer: writes }) => ({
          id: identifier,
          ...endpoint,
          role: writes ? 'writer' : 'reader',
          status: 'available',
        }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    });
    expect(found.instances.filter(({ role }) => role === 'writer')).toHaveLength(1);
  });
});
