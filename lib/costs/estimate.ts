import type { DeploymentConfig } from '../config/schema.ts';
import { type Price, prices } from './prices.ts';

/** What the platform does in a month, as far as it costs something. */
export interface Workload {
  /** Size of all databases together, in GB. */
  databaseGb: number;
  /** Hours in which a database is awake, of the 730 of a month. */
  awakeHours: number;
  /** Capacity of one instance while it is awake, in Aurora capacity units. */
  awakeAcu: number;
  /** I/O requests of the databases, in millions. */
  ioMillions: number;
  /** What changes in the databases in a day, in GB. */
  changedGbPerDay: number;
  /** Full backups that are kept; one is taken each day. */
  backupsKept: number;
  /** Calls of the API, in millions. */
  apiMillions: number;
  /** What the distribution sends, in GB, and in how many million answers. */
  cdn: { gb: number; millions: number };
  /** Alarms, Mainstay's own and some of yours. */
  alarms: number;
  /** What functions, workflows and databases log, in GB. */
  logsGb: number;
}

/** How much of something is paid for, and how that comes about. */
export interface Item {
  what: string;
  /** The quantity as a product, such as `730 h × 2 instances`. */
  how: string;
  quantity: number;
  price: Price;
}

const daysPerMonth = 30;
const hoursPerMonth = 730;
/** Stored size of a backup against the size of the tables. */
const compression = 0.3;
/** What one function copies, and reads back, in MB per second. */
const copyRate = 80;
/** Memory of the functions of a backup, in GB. */
const functionGb = 1.73;
/** Requests to S3, writes to DynamoDB and transitions for each chunk of a backup. */
const perChunk = { puts: 10, writes: 12, transitions: 6, keyRequests: 4 };

const product = (what: string, price: Price, ...factors: [number, string][]): Item => ({
  what,
  how: factors.map(([value, unit]) => `${value} ${unit}`).join(' × '),
  quantity: factors.reduce((result, [value]) => result * value, 1),
  price,
});

/** Each thing that a deployment with these settings is charged for in a month of this work. Free tiers are not subtracted. */
export function estimate(config: DeploymentConfig, work: Workload): Item[] {
  const instances = config.shards.reduce((sum, { readers }) => sum + 1 + readers, 0);
  return [
    ...databases(config, work, instances),
    product('KMS keys, with their replicas', prices.kmsKey, [config.standby === undefined ? 3 : 6, 'keys']),
    product(
      'KMS interface endpoint',
      prices.endpointHour,
      [config.network.endpointZones, 'zones'],
      [hoursPerMonth, 'h'],
    ),
    product('Secrets, one of them of each cluster', prices.secret, [
      2 + config.shards.length + (config.backup.escrow.enabled ? 1 : 0),
      'secrets',
    ]),
    product('Alarms', prices.alarm, [work.alarms, 'alarms']),
    product('Dashboard', prices.dashboard, [1, 'dashboard']),
    product('Metrics of backups', prices.metric, [5, 'metrics']),
    ...(config.failover.enabled ? probes(config) : []),
    ...(config.health.scheduled
      ? [
          product('Metrics of the shards’ health', prices.metric, [
            (config.shards.length + 1) * metricsOfHealth,
            'metrics',
          ]),
        ]
      : []),
    product('Metrics of analyses', prices.metric, [2, 'metrics']),
    product('Logs', prices.logs, [work.logsGb, 'GB']),
    product('VPC flow logs', prices.flowLogs, [work.logsGb / 2, 'GB']),
    product('API calls', prices.apiRequests, [work.apiMillions, 'million']),
    product('Function calls', prices.lambdaRequests, [work.apiMillions, 'million']),
    product(
      'Functions of the API',
      prices.lambdaCompute,
      [work.apiMillions * 1_000_000, 'calls'],
      [0.05, 's'],
      [0.5, 'GB'],
    ),
    product(
      'Counters, audit trail and kept answers in DynamoDB',
      prices.dynamoWrites,
      [work.apiMillions, 'million calls'],
      [1, 'write at most'],
    ),
    ...backups(config, work),
    ...(config.standby === undefined ? [] : copies(config.standby.keepDays, work)),
    ...(config.edge === undefined ? [] : edge(config.edge.firewall, work)),
  ];
}

function databases({ database }: DeploymentConfig, work: Workload, instances: number): Item[] {
  const beyondFree = Math.max(0, database.pointInTimeDays - 1);
  return [
    product(
      'Aurora instances',
      prices.acuHour,
      [work.awakeHours, 'h'],
      [instances, 'instances'],
      [work.awakeAcu, 'ACU'],
    ),
    product('Aurora storage', prices.auroraStorage, [work.databaseGb, 'GB']),
    product('Aurora I/O', prices.auroraIo, [work.ioMillions, 'million']),
    product(
      'Aurora point-in-time recovery',
      prices.auroraBackup,
      [beyondFree, 'days beyond the first'],
      [work.changedGbPerDay, 'GB'],
    ),
  ];
}

/** Metrics of each shard, and of all together; one more says whether the probe is cut off. */
const metricsOfProbes = 6;
/** Metrics that scheduled looks publish of each shard, and of all together. */
const metricsOfHealth = 9;
/** Memory of the function that probes, in GB, and how long a look takes, in seconds. */
const probe = { gb: 0.25, seconds: 1 };

function probes({ failover, shards }: DeploymentConfig): Item[] {
  return [
    product(
      'Function of probes, which waits from one to the next',
      prices.lambdaCompute,
      [hoursPerMonth * 60, 'minutes'],
      [60 - failover.probeIntervalSeconds + probe.seconds, 's'],
      [probe.gb, 'GB'],
    ),
    product('Alarms on writers, for their resolution', prices.highResolution, [shards.length, 'shards']),
    product('Metrics of probes', prices.metric, [(shards.length + 1) * metricsOfProbes + 1, 'metrics']),
    product(
      'Writes of probes to DynamoDB',
      prices.dynamoWrites,
      [(hoursPerMonth * 3600) / failover.probeIntervalSeconds / 1_000_000, 'million probes'],
      [shards.length, 'shards'],
    ),
  ];
}

function backups({ backup }: DeploymentConfig, work: Workload): Item[] {
  const chunks = Math.ceil((work.databaseGb * 1000) / backup.chunkTargetMiB);
  // Copied once, read back once; two lanes hold the snapshot while it is copied.
  const copySeconds = Math.ceil((work.databaseGb * 1000) / copyRate);
  const seconds = copySeconds * 2 + Math.ceil((copySeconds * 2) / backup.chunkConcurrency);
  const ofChunks = (what: string, price: Price, each: number, unit: string): Item => ({
    what,
    how: `${daysPerMonth} backups × ${chunks} chunks × ${each} ${unit} ÷ 1000000`,
    quantity: (daysPerMonth * chunks * each) / 1_000_000,
    price,
  });
  return [
    product(
      'Stored backups',
      prices.s3Storage,
      [work.backupsKept, 'backups'],
      [work.databaseGb, 'GB'],
      [compression, 'compressed'],
    ),
    product(
      'Functions of backups',
      prices.lambdaCompute,
      [daysPerMonth, 'backups'],
      [seconds, 's'],
      [functionGb, 'GB'],
    ),
    ofChunks('Requests to S3', prices.s3Puts, perChunk.puts, 'requests'),
    ofChunks('Requests to KMS', prices.kmsRequests, perChunk.keyRequests, 'requests'),
    ofChunks('Transitions of workflows', prices.transitions, perChunk.transitions, 'transitions'),
    ofChunks('Writes to DynamoDB', prices.dynamoWrites, perChunk.writes, 'writes'),
  ];
}

function copies(keepDays: number, work: Workload): Item[] {
  const copied: [number, string][] = [
    [daysPerMonth, 'backups'],
    [work.databaseGb, 'GB'],
    [compression, 'compressed'],
  ];
  return [
    product('Copies: transfer', prices.transferBetweenRegions, ...copied),
    product('Copies: Replication Time Control', prices.replicationTimeControl, ...copied),
    product(
      'Copies: storage',
      prices.s3Storage,
      [keepDays, 'backups'],
      [work.databaseGb, 'GB'],
      [compression, 'compressed'],
    ),
    product('Copies: metrics', prices.metric, [4, 'metrics']),
  ];
}

function edge(firewall: boolean, { cdn }: Workload): Item[] {
  const acl = [
    product('Firewall', prices.webAcl, [1, 'web ACL']),
    product('Firewall: rules', prices.webAclRule, [4, 'rules']),
    product('Firewall: requests', prices.webAclRequests, [cdn.millions, 'million']),
  ];
  return [
    product('Distribution: transfer', prices.cdnTransfer, [cdn.gb, 'GB']),
    product('Distribution: requests', prices.cdnRequests, [cdn.millions, 'million']),
    ...(firewall ? acl : []),
  ];
}
