import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigError, loadConfig } from '../../lib/config/config.ts';
import { renderReference } from '../../lib/config/reference.ts';

const root = join(import.meta.dirname, '..', '..');
const zone = { id: 'Z0123456789EXAMPLE', name: 'example.com' };
const dev = (settings: unknown) => loadConfig('dev', { environments: { dev: settings } });

const tables = (count: number) => Array.from({ length: count }, (_, n) => `content.shared_table_${n}`);

/** Adopted clusters that RDS does not manage. */
const selfManaged = (count: number, action: string) => ({
  network: { adopt: adoptedNetwork() },
  shards: Array.from({ length: count }, (_, index) => ({
    name: `shard-${'abcdefghijkl'[index]}`,
    failover: { action },
    adopt: {
      ...adoptedCluster(),
      instances: ['one', 'two', 'three'].map((id) => ({ id, host: `${id}.databases.example.com` })),
    },
  })),
});

function problemsOf(settings: unknown): string[] {
  try {
    dev(settings);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

describe('The configuration', () => {
  it('needs no setting at all', () => {
    expect(loadConfig('dev', undefined).shards).toMatchObject([{ name: 'shard-a', database: 'platform' }]);
  });

  it('takes its defaults from the profile', () => {
    const production = dev({ profile: 'production' });
    expect(dev({}).network.endpointZones).toBe(1);
    expect(production.network.endpointZones).toBe(2);
    expect(production.shards[0]?.capacity.minAcu).toBe(1);
  });

  it('keeps a setting whatever the profile', () => {
    expect(dev({ profile: 'production', network: { endpointZones: 1 } }).network.endpointZones).toBe(1);
  });

  it.each([
    [{ colour: 'red' }, 'mainstay.environments.dev.colour: unknown setting'],
    [{ backup: { colour: 'red' } }, 'mainstay.environments.dev.backup.colour: unknown setting'],
    [{ shards: [{ name: 'a', size: 1 }] }, 'mainstay.environments.dev.shards.0.size: unknown setting'],
    [{ profile: 'cheap' }, 'mainstay.environments.dev.profile: '],
    [{ backup: { schedule: 'daily' } }, 'mainstay.environments.dev.backup.schedule: write cron('],
    [{ alarms: { emails: ['nobody'] } }, 'mainstay.environments.dev.alarms.emails.0: '],
    [{ logs: { retentionDays: 8 } }, 'mainstay.environments.dev.logs.retentionDays: '],
    [{ network: { cidr: '10.0.0.0/8' } }, 'mainstay.environments.dev.network.cidr: between /16 and /24'],
  ])('names the path of a wrong setting: %j', (settings, problem) => {
    expect(problemsOf(settings)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [
      'more functions at once than the account may run',
      { backup: { chunkConcurrency: 5 } },
      'backup.chunkConcurrency: a backup of 1 shard(s) at once runs 1 × (2 + 5) + 1 functions; with apiConcurrency (3) that is 11, more than lambdaConcurrency (10)',
    ],
    [
      'a compression level that the compression does not have',
      { backup: { compression: 'gzip', compressionLevel: 12 } },
      'backup.compressionLevel: gzip has levels 1 to 9',
    ],
    [
      'a least capacity above the most',
      { shards: [{ name: 'a', capacity: { minAcu: 3, maxAcu: 2 } }] },
      'shards.0.capacity.maxAcu: less than minAcu',
    ],
    [
      'an instance class that RDS does not call so',
      { shards: [{ name: 'a', instanceClass: 'r8g.large' }] },
      'shards.0.instanceClass: an instance class as RDS calls it, such as db.r8g.large',
    ],
    [
      'two shards of one name',
      { shards: [{ name: 'a' }, { name: 'a' }] },
      'shards.1.name: shard 0 is called a already',
    ],
    [
      'more shards than a stack has outputs for',
      { shards: Array.from({ length: 37 }, (_, index) => ({ name: `s${index}` })) },
      'shards: a deployment has at most 32 shards',
    ],
    [
      'a name that RDS does not take',
      { shards: [{ name: 'double--hyphen' }] },
      'shards.0.name: lower case letters and digits',
    ],
    [
      'a longer backup than the history of an execution has room for',
      {
        lambdaConcurrency: 100,
        shards: [{ name: 'a' }, { name: 'b' }],
        backup: { shardConcurrency: 2, timeoutHours: 168 },
      },
      'backup.timeoutHours: a backup that takes 168 hours writes up to 48064 events',
    ],
    [
      'an edge whose values would cross from a region that is not named',
      { edge: { domains: ['www.example.com'], hostedZone: zone } },
      'edge: reads values of another region: set region as well',
    ],
    [
      'a domain without anywhere for its certificate to come from',
      { region: 'eu-central-1', edge: { domains: ['www.example.com'] } },
      'edge.domains: needs a certificate: set certificateArn, or hostedZone',
    ],
    [
      'a domain outside of its hosted zone',
      { api: { domain: { name: 'api.example.org', hostedZone: zone } } },
      'api.domain.name: api.example.org is not in the hosted zone example.com',
    ],
    [
      'a certificate that CloudFront would not take',
      {
        region: 'eu-central-1',
        edge: {
          domains: ['www.example.com'],
          certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/0123abcd',
        },
      },
      'edge.certificateArn: CloudFront takes certificates of us-east-1 alone',
    ],
    [
      'a standby region beside no first one',
      { standby: { region: 'eu-west-1' } },
      'standby.region: needs a first region beside it: set region as well',
    ],
    [
      'a standby region that is the first one',
      { region: 'eu-west-1', standby: { region: 'eu-west-1' } },
      'standby.region: is the first region, eu-west-1, already',
    ],
    [
      'copies that would have to end while they are locked',
      {
        region: 'eu-central-1',
        standby: { region: 'eu-west-1', keepDays: 10 },
        backup: { objectLock: { mode: 'GOVERNANCE', days: 11 } },
      },
      'standby.keepDays: copies are locked for 11 days, like their originals',
    ],
    [
      'a vault whose keys are in two regions',
      {
        backup: {
          adopt: {
            bucket: 'copies',
            encryptionKeyArn: `arn:aws:kms:eu-west-1:123456789012:key/mrk-${'0'.repeat(32)}`,
            hmacKeyArn: `arn:aws:kms:eu-west-2:123456789012:key/mrk-${'1'.repeat(32)}`,
          },
        },
      },
      'backup.adopt.hmacKeyArn: is in another region than encryptionKeyArn; both are where the bucket is',
    ],
    [
      'an adopted cluster in a new network',
      { shards: [{ name: 'a', adopt: adoptedCluster() }] },
      'shards.0.adopt: an existing cluster is reached from its own VPC',
    ],
    [
      'an address range for an adopted network',
      { network: { cidr: '10.0.0.0/16', adopt: adoptedNetwork() } },
      'network.cidr: an adopted VPC has its own address range',
    ],
    [
      'zones that do not match the subnets',
      { network: { adopt: { ...adoptedNetwork(), availabilityZones: ['eu-central-1a'] } } },
      'network.adopt.availabilityZones: names 1 zone(s) for 2 subnet(s)',
    ],
    [
      'a probe that would not end before the next begins',
      { failover: { probeIntervalSeconds: 10, probeTimeoutMs: 10_000 } },
      'failover.probeTimeoutMs: a probe has to end before the next begins',
    ],
    [
      'probes that leave nothing to the API',
      { failover: { enabled: true }, apiConcurrency: 1 },
      'apiConcurrency: at least 2',
    ],
    [
      'a failover of a global database without its name',
      {
        shards: [
          {
            name: 'a',
            failover: { action: 'global', globalMembers: [{ region: 'eu-west-1', cidr: '10.43.0.0/16' }] },
          },
        ],
      },
      'shards.0.failover.globalClusterIdentifier: is needed for the action global',
    ],
    [
      'a failover of a global database without its other regions',
      { shards: [{ name: 'a', failover: { action: 'global', globalClusterIdentifier: 'platform' } }] },
      'shards.0.failover.globalMembers: is needed for the action global',
    ],
    [
      'other regions of a cluster that is in one',
      {
        shards: [{ name: 'a', failover: { globalMembers: [{ region: 'eu-west-1', cidr: '10.43.0.0/16' }] } }],
      },
      'shards.0.failover.globalMembers: is for the action global alone',
    ],
    [
      'a region of a global database named twice',
      {
        shards: [
          {
            name: 'a',
            failover: {
              action: 'global',
              globalClusterIdentifier: 'platform',
              globalMembers: [1, 2].map((n) => ({ region: 'eu-west-1', cidr: `10.${n}.0.0/16` })),
            },
          },
        ],
      },
      'shards.0.failover.globalMembers.1.region: eu-west-1 is named already',
    ],
    [
      'a request to RDS about instances that it does not manage',
      selfManaged(1, 'cluster'),
      'shards.0.failover.action: cluster is a request to RDS',
    ],
    [
      'a promotion by SQL of a cluster that RDS manages',
      { shards: [{ name: 'a', failover: { action: 'replica' } }] },
      'shards.0.failover.action: replica promotes by SQL',
    ],
    [
      'more instances than functions can be told of',
      selfManaged(12, 'replica'),
      'shards: the instances of adopted clusters take',
    ],
    [
      'a schema of tenants without a place for the id',
      { backup: { tenants: { schema: 'tenant' } } },
      'backup.tenants.schema: has {id} once',
    ],
    [
      'a table that all tenants share and that has a key',
      { backup: { tenants: { key: { column: 'tenant', tables: { 'a.b': 'c' }, shared: ['a.b'] } } } },
      'backup.tenants.key.shared: a.b has a key column by `tables`',
    ],
    [
      'more tables than a function can be told of',
      { backup: { tenants: { key: { column: 'tenant', shared: tables(90) } } } },
      'backup.tenants: takes more than 2048 bytes as JSON',
    ],
  ])('refuses %s', (_, settings, problem) => {
    expect(problemsOf(settings)).toEqual([expect.stringContaining(`mainstay.environments.dev.${problem}`)]);
  });

  it('reports every problem at once', () => {
    expect(problemsOf({ colour: 'red', logs: { level: 'LOUD' }, backup: { zeal: 1 } })).toHaveLength(3);
  });

  it('says which environments exist when one is not configured', () => {
    const context = { environments: { production: {} } };
    expect(() => loadConfig('staging', context)).toThrow(
      'mainstay.environments.staging: not configured; known are dev, production',
    );
  });

  it('refuses names that do not fit into the names of resources', () => {
    expect(() => loadConfig('My Environment', undefined)).toThrow('is no name for an environment');
    expect(() => loadConfig('ends-with-', undefined)).toThrow('is no name for an environment');
    const name = 'a-shard-of-thirty-one-letters-x';
    const named = (environment: string) => ({ environments: { [environment]: { shards: [{ name }] } } });
    expect(loadConfig('production', named('production')).shards).toHaveLength(1);
    expect(() => loadConfig('production-eu', named('production-eu'))).toThrow(
      "mainstay.environments.production-eu.shards.0.name: 1 too long beside the environment's name",
    );
  });

  it('never accepts a backup that needs more functions than there are', () => {
    const settings = fc.record({
      shards: fc.integer({ min: 1, max: 8 }),
      shardConcurrency: fc.integer({ min: 1, max: 7 }),
      chunkConcurrency: fc.integer({ min: 1, max: 50 }),
      lambdaConcurrency: fc.integer({ min: 10, max: 300 }),
    });
    fc.assert(
      fc.property(settings, ({ shards, shardConcurrency, chunkConcurrency, lambdaConcurrency }) => {
        const needed = Math.min(shards, shardConcurrency) * (2 + chunkConcurrency) + 4;
        const problems = problemsOf({
          lambdaConcurrency,
          shards: Array.from({ length: shards }, (_, index) => ({ name: `s${index}` })),
          backup: { shardConcurrency, chunkConcurrency },
        });
        expect(problems.length).toBe(needed > lambdaConcurrency ? 1 : 0);
      }),
    );
  });

  it('is documented as it is', () => {
    const documented = readFileSync(join(root, 'docs/operations/configuration.md'), 'utf8');
    // When it differs: node lib/config/write-reference.ts
    expect(documented).toBe(renderReference());
  });

  it('says of every setting what it means', () => {
    const rows = renderReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
  });
});

function adoptedCluster() {
  return {
    clusterIdentifier: 'legacy',
    resourceId: 'cluster-ABCDEFGHIJKLMNOP',
    writerHost: 'legacy.cluster-abc.eu-central-1.rds.amazonaws.com',
    securityGroupId: 'sg-0123456789abcdef0',
  };
}

function adoptedNetwork() {
  return {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  };
}
