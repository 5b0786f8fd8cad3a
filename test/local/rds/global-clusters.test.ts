import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DBClusterNotFoundFault,
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClusterEndpointsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeGlobalClustersCommand,
  FailoverDBClusterCommand,
  FailoverGlobalClusterCommand,
  ListTagsForResourceCommand,
  ModifyDBClusterCommand,
  RDSClient,
  SwitchoverGlobalClusterCommand,
} from '@aws-sdk/client-rds';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { discoverInstances } from '../../../functions/failover/discovery/discover-instances.ts';
import { describeGlobal } from '../../../functions/failover/discovery/global-database.ts';
import type { ServiceEvent } from '../../../local/events/event.ts';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import { RdsService } from '../../../local/rds/rds-service.ts';
import { StsService } from '../../../local/sts/sts-service.ts';
import { accountId, allow, type EmulatedAws, region as own, startAws } from '../aws/emulated-aws.ts';
import { connect, database, type Login, master, query, Sandbox, until } from '../postgres/support.ts';

const regions = { east: own, west: 'eu-west-1', south: 'sa-east-1' };
type Name = keyof typeof regions;
const arn = (name: Name) => `arn:aws:rds:${regions[name]}:${accountId}:cluster:${name}`;

let sandbox: Sandbox;
let clusters: PostgresClusters;
let aws: EmulatedAws;
let login: Login;
const events: ServiceEvent[] = [];
const claimed: (string | undefined)[] = [];

const start = () =>
  sandbox.clusters({ restartAfterMs: 100, checkToken: ({ region }) => void claimed.push(region) });
const rdsIn = (region: string, settings = aws.client()) => new RDSClient({ ...settings, region });
const endpointOf = (name: Name) => clusters.cluster(name).describe().endpoint;
const instancesOf = (name: Name) => clusters.cluster(name).describe().instances;
const globalNow = async (region = own) => {
  const named = new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: 'World' });
  return (await rdsIn(region).send(named)).GlobalClusters?.[0];
};
const writerNow = async () =>
  (await globalNow())?.GlobalClusterMembers?.find(({ IsWriter }) => IsWriter)?.DBClusterArn;
const failover = (target: Name, more: object, region = own) =>
  rdsIn(region).send(
    new FailoverGlobalClusterCommand({
      GlobalClusterIdentifier: 'world',
      TargetDbClusterIdentifier: arn(target),
      ...more,
    }),
  );
/** What all instances of a cluster have of the rows, and whether they only read. */
const rowsAt = (name: Name) =>
  Promise.all(
    instancesOf(name).map(async ({ endpoint }) => {
      const text = 'SELECT count(*)::int AS rows, pg_is_in_recovery() AS reads FROM written';
      return (await query(endpoint, login, text).catch(() => []))[0];
    }),
  );
/** Waits until nothing is being rebuilt, and everybody has so many rows from the only writer. */
async function untilAllHave(rows: number, writer: Name): Promise<void> {
  const names = ['east', 'west', 'south'] as const;
  await Promise.all(names.map((name) => clusters.cluster(name).settled()));
  await until(`everybody has ${rows} rows and follows ${writer}`, async () => {
    for (const name of names) {
      const expected = instancesOf(name).map((instance) => ({ rows, reads: !instance.writer }));
      if (JSON.stringify(await rowsAt(name)) !== JSON.stringify(expected)) return false;
      if ((name === writer) !== instancesOf(name).some((instance) => instance.writer)) return false;
    }
    return true;
  });
}

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await start();
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
  const { username: masterUsername, password: masterPassword } = master;
  for (const [identifier, count] of [
    ['east', 2],
    ['west', 1],
    ['south', 1],
  ] as const) {
    const own = { identifier, region: regions[identifier], global: 'World' };
    await clusters.ensureCluster({ ...own, database, masterUsername, masterPassword });
    for (let number = 1; number <= count; number += 1) {
      await clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-${number}` });
    }
  }
  const rds = new RdsService({
    region: own,
    accountId,
    directory: join(sandbox.directory, 'rds'),
    clusters,
    createSecret: () => 'arn',
    putEvent: (event) => events.push(event),
  });
  aws = await startAws(({ credentials }) => [rds.api, new StsService({ credentials }).api]);
}, 60_000);

afterAll(async () => {
  await aws.close();
  await sandbox.dispose();
}, 30_000);

describe('a global database', () => {
  it('takes writes in its primary cluster, and has them read in the others', async () => {
    await query(endpointOf('east'), login, 'CREATE TABLE written AS SELECT 0 AS n');
    await untilAllHave(1, 'east');
    await expect(connect(endpointOf('west'), login)).rejects.toThrow('terminated');
    const { readerEndpoint } = clusters.cluster('west').describe();
    if (readerEndpoint !== undefined) {
      expect(await query(readerEndpoint, login, 'SELECT n FROM written')).toEqual([{ n: 0 }]);
    }
    await expect(clusters.promote('west', 'west-1')).rejects.toThrow('in another cluster');
    const twice = { identifier: 'twin', region: regions.west, global: 'world', database };
    const users = { masterUsername: 'someone', masterPassword: 'else' };
    await expect(clusters.ensureCluster({ ...twice, ...users })).rejects.toThrow('there already');
  });

  it('is described the same in every region, as AWS does', async () => {
    const described = {
      GlobalClusterIdentifier: 'world',
      GlobalClusterArn: `arn:aws:rds::${accountId}:global-cluster:world`,
      Status: 'available',
      Engine: 'aurora-postgresql',
      GlobalClusterMembers: [
        { DBClusterArn: arn('east'), IsWriter: true, Readers: [arn('west'), arn('south')] },
        { DBClusterArn: arn('west'), IsWriter: false, SynchronizationStatus: 'connected' },
        { DBClusterArn: arn('south'), IsWriter: false, GlobalWriteForwardingStatus: 'disabled' },
      ],
    };
    for (const region of Object.values(regions)) expect(await globalNow(region)).toMatchObject(described);
    expect((await globalNow())?.FailoverState).toBeUndefined();
    const filter = (Value: string) => ({ Filters: [{ Name: 'region', Values: [Value] }] });
    const listed = async (region: string) =>
      (await rdsIn(own).send(new DescribeGlobalClustersCommand(filter(region)))).GlobalClusters?.length ?? 0;
    expect([await listed('eu-west-1'), await listed('eu-west-2')]).toEqual([1, 0]);
  });

  it('has each cluster known in its own region, without a record of RDS', async () => {
    const names = async (region: string) => {
      const { DBClusters = [] } = await rdsIn(region).send(new DescribeDBClustersCommand({}));
      const { DBInstances = [] } = await rdsIn(region).send(new DescribeDBInstancesCommand({}));
      return [
        ...DBClusters.map((one) => [one.DBClusterArn, one.DBClusterMembers?.map((it) => it.IsClusterWriter)]),
        ...DBInstances.map((one) => one.DBInstanceArn),
      ];
    };
    expect(await names(own)).toEqual([
      [arn('east'), [true, false]],
      ...[1, 2].map((number) => `arn:aws:rds:${own}:${accountId}:db:east-${number}`),
    ]);
    expect(await names('eu-west-1')).toEqual([
      [arn('west'), [false]],
      `arn:aws:rds:eu-west-1:${accountId}:db:west-1`,
    ]);
    const west = rdsIn('eu-west-1');
    const named = { DBClusterIdentifier: 'west' };
    const { DBClusterEndpoints } = await west.send(new DescribeDBClusterEndpointsCommand(named));
    expect(DBClusterEndpoints?.[0]).toMatchObject({ EndpointType: 'WRITER', Status: 'inactive' });
    await west.send(new ModifyDBClusterCommand({ ...named, DeletionProtection: true }));
    const { DBClusters } = await west.send(new DescribeDBClustersCommand(named));
    expect(DBClusters?.[0]).toMatchObject({ DeletionProtection: true, GlobalClusterIdentifier: 'world' });
    await west.send(new ListTagsForResourceCommand({ ResourceName: arn('west') }));
    const target = (name: Name) => ({ instance: arn(name), ...endpointOf(name) });
    expect(await describeGlobal({ rds: rdsIn(own), inRegion: rdsIn }, 'world')).toEqual({
      writer: target('east'),
      others: [target('west'), target('south')],
    });
    const here = rdsIn(own);
    for (const attempt of [
      here.send(new DescribeDBClustersCommand(named)),
      here.send(new ModifyDBClusterCommand({ ...named, DeletionProtection: false })),
      here.send(new ListTagsForResourceCommand({ ResourceName: arn('west') })),
    ]) {
      await expect(attempt).rejects.toBeInstanceOf(DBClusterNotFoundFault);
    }
  });

  it('is described without a region that does not answer, and not at all where none does', async () => {
    const nowhere = (region: string) =>
      new RDSClient({ ...aws.client(), region, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
    const without = (lost: readonly string[]) => (region: string) =>
      lost.includes(region) ? nowhere(region) : rdsIn(region);
    const found = await describeGlobal({ rds: rdsIn(own), inRegion: without([own]) }, 'world');
    expect(found.writer).toBeUndefined();
    expect(found.others.map(({ instance }) => instance)).toEqual([arn('west'), arn('south')]);
    const all = { rds: rdsIn(own), inRegion: without(Object.values(regions)) };
    await expect(describeGlobal(all, 'world')).rejects.toThrow('RDS');
  });

  it('has the instances of the cluster that writes, for whoever looks for a shard’s', async () => {
    const parts = { rds: rdsIn(own), inRegion: rdsIn, selfManaged: {}, now: Date.now };
    const shard = { name: 'a', clusterIdentifier: 'west', writer: endpointOf('west') };
    const { instances } = await discoverInstances(shard, { ...parts, globalOf: () => 'world' });
    expect(instances.map(({ id }) => id)).toEqual(instancesOf('east').map(({ identifier }) => identifier));
  });

  it('opens its regions to RDS alone, and IAM decides by them', async () => {
    const refused = { message: /local runtime is in us-east-1/ };
    await expect(rdsIn('eu-west-2').send(new DescribeGlobalClustersCommand({}))).rejects.toMatchObject(
      refused,
    );
    const sts = new STSClient({ ...aws.client(), region: 'eu-west-1' });
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject(refused);

    const inWest = { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } };
    const described = allow('rds:DescribeDBClusters', '*', inWest);
    const role = aws.asRole(described, allow('rds:FailoverGlobalCluster', `*:global-cluster:world`));
    await rdsIn('eu-west-1', role).send(new DescribeDBClustersCommand({}));
    const denied = { name: 'AccessDenied' };
    await expect(rdsIn(own, role).send(new DescribeDBClustersCommand({}))).rejects.toMatchObject(denied);
    const target = { GlobalClusterIdentifier: 'world', TargetDbClusterIdentifier: arn('west') };
    await expect(rdsIn(own, role).send(new FailoverGlobalClusterCommand(target))).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining(arn('west')),
    });
    await query(endpointOf('east'), login, 'CREATE ROLE by_token LOGIN; GRANT rds_iam TO by_token');
    const instance = instancesOf('west')[0]?.endpoint ?? endpointOf('west');
    await until('a token is checked for the region of the cluster', async () => {
      await query(instance, { ...login, user: 'by_token', password: 'token' }, 'SELECT 1').catch(() => {});
      return claimed.at(-1) === 'eu-west-1';
    });
  });

  it('refuses what RDS refuses', async () => {
    await expect(failover('west', { AllowDataLoss: true, Switchover: true })).rejects.toMatchObject({
      name: 'InvalidParameterCombination',
    });
    const state = { name: 'InvalidGlobalClusterStateFault' };
    await expect(failover('east', { AllowDataLoss: true })).rejects.toMatchObject(state);
    const missing = { TargetDbClusterIdentifier: arn('west').replace('eu-west-1', own) };
    await expect(failover('west', missing)).rejects.toBeInstanceOf(DBClusterNotFoundFault);
    await expect(failover('west', { GlobalClusterIdentifier: 'moon' })).rejects.toMatchObject({
      name: 'GlobalClusterNotFoundFault',
    });
    const primary = { DBClusterIdentifier: 'east', SkipFinalSnapshot: true };
    await expect(rdsIn(own).send(new DeleteDBClusterCommand(primary))).rejects.toMatchObject(state);
    await expect(
      rdsIn('eu-west-1').send(new FailoverDBClusterCommand({ DBClusterIdentifier: 'west' })),
    ).rejects.toMatchObject({ name: 'InvalidDBClusterStateFault' });
  });
});

describe('a switchover', () => {
  it('loses nothing that was written, and swaps the roles', async () => {
    const client = await connect(endpointOf('east'), login);
    let written = 1;
    const writing = (async () => {
      for (;;) {
        await client.query('INSERT INTO written VALUES ($1)', [written]);
        written += 1;
      }
    })().catch(() => client.end());
    await until('something is written', () => written > 20);
    const named = { GlobalClusterIdentifier: 'world', TargetDbClusterIdentifier: arn('west') };
    const { GlobalCluster } = await rdsIn('sa-east-1').send(new SwitchoverGlobalClusterCommand(named));
    expect(GlobalCluster).toMatchObject({
      Status: 'switching-over',
      FailoverState: {
        Status: 'switching-over',
        FromDbClusterArn: arn('east'),
        ToDbClusterArn: arn('west'),
        IsDataLossAllowed: false,
      },
    });
    await expect(failover('south', {})).rejects.toMatchObject({ name: 'InvalidGlobalClusterStateFault' });
    await writing;
    await until('it is done', async () => (await globalNow())?.Status === 'available');
    expect(await writerNow()).toBe(arn('west'));
    await expect(connect(endpointOf('east'), login)).rejects.toThrow('terminated');
    const [row] = await query(
      endpointOf('west'),
      login,
      'SELECT count(DISTINCT n)::int AS rows FROM written',
    );
    // The insert that was under way may have been committed without its answer.
    expect([written, written + 1]).toContain(row?.rows);
    await query(endpointOf('west'), login, 'TRUNCATE written; INSERT INTO written VALUES (1)');
    await untilAllHave(1, 'west');
    expect(events.map(({ resources, detail }) => [...resources, detail.EventID])).toEqual([
      [arn('west'), 'RDS-EVENT-0181'],
      [arn('east'), 'RDS-EVENT-0182'],
      [arn('west'), 'RDS-EVENT-0184'],
      [arn('west'), 'RDS-EVENT-0185'],
    ]);
    expect(events[3]?.detail).toMatchObject({
      EventCategories: ['global-failover'],
      Message: 'Global switchover to DB cluster west in Region eu-west-1 finished.',
    });
  }, 60_000);
});

describe('a restart', () => {
  it('leaves the roles as they are', async () => {
    await clusters.stop();
    await clusters.start();
    expect(await writerNow()).toBe(arn('west'));
    const last = new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'west-1' });
    await expect(rdsIn('eu-west-1').send(last)).rejects.toMatchObject({ name: 'InvalidDBClusterStateFault' });
    await query(endpointOf('west'), login, 'INSERT INTO written VALUES (2)');
    await untilAllHave(2, 'west');
  }, 60_000);
});

describe('a failover', () => {
  it('from a primary that is dead promotes what there is; the old one comes back as a standby of it', async () => {
    events.length = 0;
    const west = clusters.cluster('west');
    await west.setConduct({ restartAfterMs: null });
    await west.signal('west-1', 'SIGSTOP', 'walsender');
    await query(endpointOf('west'), login, 'INSERT INTO written VALUES (3)');
    await west.signal('west-1', 'SIGKILL');
    await until('it is noticed', () => instancesOf('west')[0]?.status === 'failed');
    await expect(failover('east', {})).rejects.toMatchObject({ name: 'InvalidDBClusterStateFault' });
    expect(await writerNow()).toBe(arn('west'));

    const { GlobalCluster } = await failover('east', { AllowDataLoss: true });
    expect(GlobalCluster?.FailoverState).toMatchObject({ Status: 'failing-over', IsDataLossAllowed: true });
    await until('it is done', async () => (await globalNow())?.Status === 'available');
    await query(endpointOf('east'), login, 'INSERT INTO written VALUES (4)');
    await untilAllHave(3, 'east');
    const kept = await query(endpointOf('east'), login, 'SELECT array_agg(n ORDER BY n) AS n FROM written');
    expect(kept).toEqual([{ n: [1, 2, 4] }]);
    await until('the last event', () => events.length === 3);
    expect(events.map(({ resources, detail }) => [...resources, detail.EventID])).toEqual([
      [arn('east'), 'RDS-EVENT-0238'],
      [arn('west'), 'RDS-EVENT-0240'],
      [arn('west'), 'RDS-EVENT-0241'],
    ]);
    expect((await globalNow())?.GlobalClusterMembers).toMatchObject([
      { IsWriter: true },
      { DBClusterArn: arn('west'), IsWriter: false, SynchronizationStatus: 'connected' },
      { IsWriter: false },
    ]);
  }, 60_000);

  it('within the primary cluster has the others follow its new writer', async () => {
    await clusters.promote('east', 'east-2');
    await query(endpointOf('east'), login, 'INSERT INTO written VALUES (5)');
    await untilAllHave(4, 'east');
  }, 60_000);
});
