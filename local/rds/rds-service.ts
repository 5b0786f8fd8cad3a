import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { QueryApi } from '../aws/api.ts';
import { AwsError } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import type { ServiceEvent } from '../events/event.ts';
import type { PostgresClusters } from '../postgres/clusters.ts';
import type { Address, ClusterDescription } from '../postgres/description.ts';
import { arnOf, instanceNotFound, type Place } from './arns.ts';
import { failoverEvent } from './failover-events.ts';
import { GlobalClusters } from './global-clusters.ts';
import { Lifecycle, pendingInstances } from './lifecycle.ts';
import { rdsOperations } from './operations.ts';
import { type ClusterRecord, type InstanceRecord, type Records, recordsSchema } from './records.ts';
import { inEachRegion } from './regions.ts';
import { engine, type KnownCluster, type KnownInstance } from './shapes.ts';

export interface RdsOptions extends Place {
  /** Where `rds.json` is kept. */
  directory: string;
  /** The servers; started before clusters are ensured. */
  clusters: PostgresClusters;
  /**
   * Stores the secret of a master user that RDS manages, and gives its ARN. Called again with the same
   * name when the runtime was killed before it knew the ARN: then it gives the ARN of the secret that exists.
   */
  createSecret(name: string, json: string, kmsKeyId: string | undefined): Promise<string> | string;
  /** Puts an event on the default bus. Default: nobody is told. */
  putEvent?: (event: ServiceEvent) => unknown;
  /** Takes messages about what goes wrong in the background. Default: nobody is told. */
  report?: (message: string) => void;
}

/** Properties of a cluster, as a template has them. */
export interface DbClusterRequest {
  identifier: string;
  /** What the platform calls it, for example the shard's name. */
  name?: string;
  databaseName: string;
  masterUsername: string;
  /** Without it, RDS makes a password and manages a secret for it. */
  masterUserPassword?: string;
  /** Key that encrypts the secret that RDS manages. */
  masterUserSecretKmsKeyId?: string;
  /** Default false, as in RDS. */
  iamAuthentication?: boolean;
  /** The parameter `rds.force_ssl`. Default true, as in PostgreSQL 15 and later on RDS. */
  forceSsl?: boolean;
  parameterGroup?: string;
  /** Default false. */
  deletionProtection?: boolean;
  /** Days; default 1. */
  backupRetentionPeriod?: number;
  /** Key that encrypts the storage. */
  kmsKeyId?: string;
  serverlessV2?: { minCapacity: number; maxCapacity: number };
  subnetGroup?: string;
  securityGroups?: string[];
  /** Default false. */
  copyTagsToSnapshot?: boolean;
  /** Logs that go to CloudWatch; default none. */
  logExports?: string[];
  tags?: Record<string, string>;
}

export interface DbInstanceRequest {
  identifier: string;
  cluster: string;
  /** Default `db.serverless`. */
  instanceClass?: string;
  /** 0 is promoted first. Default 1. */
  promotionTier?: number;
  parameterGroup?: string;
  /** Default false. */
  performanceInsights?: boolean;
  tags?: Record<string, string>;
}

/** What a template refers to of a cluster. */
export interface DbCluster {
  arn: string;
  resourceId: string;
  endpoint: Address;
  readerEndpoint: Address | undefined;
  masterUserSecretArn: string | undefined;
}

/** What a template refers to of an instance. */
export interface DbInstance {
  arn: string;
  resourceId: string;
  endpoint: Address;
}

/** The control plane of Aurora PostgreSQL: the RDS API over the clusters of this machine. */
export class RdsService {
  readonly api: QueryApi;
  readonly #options: RdsOptions;
  readonly #records: StateFile<Records>;
  readonly #failingOver = new Set<string>();
  readonly #lifecycle: Lifecycle;

  constructor(options: RdsOptions) {
    this.#options = options;
    const empty: Records = { version: 1, clusters: {}, instances: {} };
    this.#records = new StateFile(join(options.directory, 'rds.json'), recordsSchema, empty);
    this.#lifecycle = new Lifecycle({
      clusters: options.clusters,
      records: this.#records,
      knownClusters: () => this.#clusters(),
      knownInstances: () => this.#instances(),
      report: (message) => options.report?.(message),
    });
    const globals = new GlobalClusters({
      accountId: options.accountId,
      clusters: options.clusters,
      knownClusters: () => this.#clusters(),
      putEvent: options.putEvent,
      report: options.report,
    });
    this.api = {
      protocol: 'query',
      signingName: 'rds',
      xmlNamespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
      otherRegions: () =>
        options.clusters.describe().flatMap(({ global, region }) => (global && region) ?? []),
      operations: inEachRegion(options.region, (region) =>
        rdsOperations({
          place: { region, accountId: options.accountId },
          globals,
          lifecycle: this.#lifecycle,
          clusters: () => {
            this.#lifecycle.resume();
            return this.#clusters().filter((cluster) => cluster.region === region);
          },
          instances: () => this.#instances().filter(({ cluster }) => cluster.region === region),
          failOver: (cluster, target) => this.#failOver(cluster, target),
        }),
      ),
    };
  }

  /** Creates a cluster, or brings the one of that identifier in line with the request. */
  async ensureCluster(request: DbClusterRequest): Promise<DbCluster> {
    const { identifier, tags = {}, serverlessV2 } = request;
    const known = this.#options.clusters.describe().some((cluster) => cluster.identifier === identifier);
    const earlier = known ? this.#options.clusters.cluster(identifier).state.masterPassword : undefined;
    const description = await this.#options.clusters.ensureCluster({
      identifier,
      ...(request.name !== undefined && { name: request.name }),
      database: request.databaseName,
      masterUsername: request.masterUsername,
      masterPassword: request.masterUserPassword ?? earlier ?? newPassword(),
      forceSsl: request.forceSsl ?? true,
      iamAuthentication: request.iamAuthentication ?? false,
    });
    const { secretName, secretArn } = this.#records.state.clusters[identifier] ?? {};
    const record = {
      ...defaultRecord(description),
      ...(secretName !== undefined && { secretName }),
      ...(secretArn !== undefined && { secretArn }),
      secretKmsKeyId: request.masterUserSecretKmsKeyId,
      ...(request.parameterGroup !== undefined && { parameterGroup: request.parameterGroup }),
      ...(request.deletionProtection !== undefined && { deletionProtection: request.deletionProtection }),
      ...(request.backupRetentionPeriod !== undefined && {
        backupRetentionDays: request.backupRetentionPeriod,
      }),
      kmsKeyId: request.kmsKeyId,
      minCapacity: serverlessV2?.minCapacity,
      maxCapacity: serverlessV2?.maxCapacity,
      subnetGroup: request.subnetGroup,
      securityGroups: request.securityGroups,
      copyTagsToSnapshot: request.copyTagsToSnapshot,
      logExports: request.logExports,
      tags,
    };
    this.#records.state.clusters[identifier] = record;
    const managed = request.masterUserPassword === undefined;
    const masterUserSecretArn = managed ? await this.#ensureSecret(identifier) : undefined;
    await this.#records.save();
    return {
      arn: arnOf(this.#options, 'cluster', identifier),
      resourceId: description.resourceId,
      endpoint: description.endpoint,
      readerEndpoint: description.readerEndpoint,
      masterUserSecretArn,
    };
  }

  /** Adds an instance to a cluster: its writer, when it is the first one. */
  async ensureInstance(request: DbInstanceRequest): Promise<DbInstance> {
    const { identifier, cluster, instanceClass = 'db.serverless', promotionTier = 1, tags = {} } = request;
    const { parameterGroup, performanceInsights } = request;
    this.#records.state.instances[identifier] = {
      ...{ instanceClass, promotionTier, parameterGroup, performanceInsights, tags },
    };
    await this.#records.save();
    const { instances } = await this.#options.clusters.ensureInstance({ cluster, identifier });
    const found = instances.find((instance) => instance.identifier === identifier);
    if (found === undefined) throw instanceNotFound(identifier);
    const { resourceId, endpoint } = found;
    return { arn: arnOf(this.#options, 'db', identifier), resourceId, endpoint };
  }

  async #ensureSecret(identifier: string): Promise<string> {
    const record = this.#records.state.clusters[identifier];
    if (record?.secretArn !== undefined) return record.secretArn;
    const name = record?.secretName ?? `rds!cluster-${randomUUID()}`;
    // The name first: a run that is killed now leads the next one to the same secret.
    if (record !== undefined) record.secretName = name;
    await this.#records.save();
    const { masterUsername: username, masterPassword: password } =
      this.#options.clusters.cluster(identifier).state;
    const arn = await this.#options.createSecret(
      name,
      JSON.stringify({ username, password }),
      record?.secretKmsKeyId,
    );
    if (record !== undefined) record.secretArn = arn;
    return arn;
  }

  #clusters(): KnownCluster[] {
    const { clusters } = this.#options;
    return clusters.describe().flatMap((description) => {
      const { identifier, global, region = this.#options.region } = description;
      // A cluster that tests have made without RDS is known to it for the sake of its global database.
      const record =
        this.#records.state.clusters[identifier] ??
        (global === undefined ? undefined : defaultRecord(description));
      if (record === undefined) return [];
      const { from, to } = clusters.globals.promotionOf(global?.identifier ?? '') ?? {};
      const failingOver = this.#failingOver.has(identifier) || from === identifier || to === identifier;
      const restorable = clusters.cluster(identifier).restorable();
      return [{ description, record, region, failingOver, restorable }];
    });
  }

  #instances(): KnownInstance[] {
    const clusters = this.#clusters();
    const there = clusters.flatMap((cluster) =>
      cluster.description.instances.map((description) => ({
        cluster,
        description,
        record: this.#recordOf(description.identifier),
      })),
    );
    return [...there, ...pendingInstances(this.#records.state, clusters)];
  }

  #recordOf(instance: string): InstanceRecord {
    const unknown = { instanceClass: 'db.serverless', promotionTier: 1, tags: {} };
    return this.#records.state.instances[instance] ?? unknown;
  }

  #failOver({ description, failingOver }: KnownCluster, target: string | undefined): void {
    const { identifier } = description;
    const invalid = (reason: string) => new AwsError('InvalidDBClusterStateFault', reason);
    if (failingOver) throw invalid(`DB cluster ${identifier} is failing over already.`);
    if (description.global?.primary === false) {
      throw invalid(
        `DB cluster ${identifier} is a secondary cluster of a global database and has no writer.`,
      );
    }
    const readers = description.instances
      .filter(({ writer, status }) => !writer && status === 'available')
      .sort(
        (a, b) => this.#recordOf(a.identifier).promotionTier - this.#recordOf(b.identifier).promotionTier,
      );
    if (target !== undefined && !description.instances.some((instance) => instance.identifier === target)) {
      throw instanceNotFound(target);
    }
    const chosen = target === undefined ? readers[0] : readers.find((reader) => reader.identifier === target);
    if (chosen === undefined) {
      throw invalid(
        `DB cluster ${identifier} has no available reader${target === undefined ? '' : ` ${target}`} to fail over to.`,
      );
    }
    const tell = (step: Parameters<typeof failoverEvent>[3]) =>
      this.#options.putEvent?.(failoverEvent(this.#options, identifier, chosen.identifier, step));
    this.#failingOver.add(identifier);
    tell('started');
    this.#options.clusters
      .promote(identifier, chosen.identifier)
      .then(
        () => tell('completed'),
        (error: Error) => {
          this.#options.report?.(`The failover of ${identifier} failed: ${error.message}`);
          tell('failed');
        },
      )
      .finally(() => this.#failingOver.delete(identifier));
  }
}

function defaultRecord({ engineVersion }: ClusterDescription): ClusterRecord {
  return {
    parameterGroup: `default.${engine}${engineVersion.split('.')[0]}`,
    deletionProtection: false,
    backupRetentionDays: 1,
    tags: {},
  };
}

/** A password as RDS makes them, without characters that connection strings give a meaning to. */
function newPassword(): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
  return Array.from({ length: 32 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
