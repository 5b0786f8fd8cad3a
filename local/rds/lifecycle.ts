import { AwsError } from '../aws/operation.ts';
import type { StateFile } from '../aws/state-file.ts';
import type { PostgresClusters } from '../postgres/clusters.ts';
import { clusterNotFound, instanceNotFound } from './arns.ts';
import type { InstanceRecord, Records } from './records.ts';
import type { InstanceRequest, RestoreRequest } from './requests.ts';
import { engine, type KnownCluster, type KnownInstance } from './shapes.ts';

export interface LifecycleParts {
  clusters: PostgresClusters;
  records: StateFile<Records>;
  knownClusters(): KnownCluster[];
  knownInstances(): KnownInstance[];
  report(message: string): void;
}

const invalidState = (message: string) => new AwsError('InvalidDBClusterStateFault', message);
const combination = (message: string) => new AwsError('InvalidParameterCombination', message);

/**
 * How clusters and instances come and go by API calls: at once in what is described, in the background in fact. What a stop of the
 * runtime cut short goes on when RDS is asked again.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  readonly #working = new Map<string, Promise<void>>();

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** @throws AwsError as RDS does. */
  async restoreCluster(request: RestoreRequest): Promise<void> {
    const { clusters, records } = this.#parts;
    const { DBClusterIdentifier: identifier, SourceDBClusterIdentifier: sourceIdentifier } = request;
    const time = this.#targetOf(request);
    if (this.#find(identifier) !== undefined) {
      throw new AwsError('DBClusterAlreadyExistsFault', `DB Cluster already exists: ${identifier}`);
    }
    const source = this.#find(sourceIdentifier);
    if (source === undefined) throw clusterNotFound(sourceIdentifier);
    const window = clusters.cluster(sourceIdentifier).restorable();
    if (window === undefined) {
      throw new AwsError(
        'PointInTimeRestoreNotEnabled',
        `${sourceIdentifier} has no base backup yet to restore from; the first one is taken soon after its start.`,
      );
    }
    if (time !== undefined && (time < window.earliest || time > window.latest)) {
      const [from, to] = [window.earliest, window.latest].map((at) => new Date(at).toISOString());
      throw new AwsError('InvalidRestoreFault', `The specified time is not between ${from} and ${to}.`);
    }
    const { record } = source;
    const scaling = request.ServerlessV2ScalingConfiguration;
    records.state.clusters[identifier] = {
      parameterGroup:
        request.DBClusterParameterGroupName ??
        `default.${engine}${source.description.engineVersion.split('.')[0]}`,
      deletionProtection: request.DeletionProtection,
      backupRetentionDays: request.BackupRetentionPeriod ?? record.backupRetentionDays,
      kmsKeyId: request.KmsKeyId ?? record.kmsKeyId,
      minCapacity: scaling?.MinCapacity,
      maxCapacity: scaling?.MaxCapacity,
      subnetGroup: request.DBSubnetGroupName ?? 'default',
      securityGroups: request.VpcSecurityGroupIds,
      copyTagsToSnapshot: request.CopyTagsToSnapshot,
      logExports: request.EnableCloudwatchLogsExports,
      storageType: request.StorageType,
      tags: Object.fromEntries(request.Tags.map(({ Key, Value }) => [Key, Value])),
    };
    await records.save();
    await clusters.restoreCluster({
      identifier,
      source: sourceIdentifier,
      time,
      iamAuthentication: request.EnableIAMDatabaseAuthentication,
      ...(request.Port !== undefined && { port: request.Port }),
    });
  }

  async createInstance(request: InstanceRequest): Promise<void> {
    const { records } = this.#parts;
    const { DBInstanceIdentifier: identifier, DBClusterIdentifier: clusterIdentifier } = request;
    const cluster = this.#find(clusterIdentifier);
    if (cluster === undefined) throw clusterNotFound(clusterIdentifier);
    if (this.#parts.knownInstances().some(({ description }) => description.identifier === identifier)) {
      throw new AwsError('DBInstanceAlreadyExists', `DB instance already exists: ${identifier}`);
    }
    const { status } = cluster.description;
    if (status !== 'available') throw invalidState(`DB cluster ${clusterIdentifier} is ${status}.`);
    records.state.instances[identifier] = {
      instanceClass: request.DBInstanceClass,
      promotionTier: request.PromotionTier,
      parameterGroup: request.DBParameterGroupName,
      performanceInsights: request.EnablePerformanceInsights,
      tags: Object.fromEntries(request.Tags.map(({ Key, Value }) => [Key, Value])),
      pending: { state: 'creating', cluster: clusterIdentifier, since: new Date().toISOString() },
    };
    await records.save();
    this.resume();
  }

  async deleteInstance(identifier: string): Promise<void> {
    const found = this.#parts
      .knownInstances()
      .find(({ description }) => description.identifier === identifier);
    if (found === undefined) throw instanceNotFound(identifier);
    if (found.record.pending !== undefined) {
      throw new AwsError(
        'InvalidDBInstanceState',
        `Instance ${identifier} is ${found.record.pending.state}.`,
      );
    }
    const { instanceClass, promotionTier, tags } = found.record;
    const cluster = found.cluster.description.identifier;
    if (found.cluster.description.instances.length === 1 && this.#hasSecondaries(found.cluster)) {
      throw invalidState(
        'Cannot delete the last instance of the master cluster. Delete the replica cluster before deleting the last master cluster instance.',
      );
    }
    this.#parts.records.state.instances[identifier] = {
      ...{ instanceClass, promotionTier, tags },
      pending: { state: 'deleting', cluster, since: new Date().toISOString() },
    };
    await this.#parts.records.save();
    this.resume();
  }

  async deleteCluster(identifier: string, skipFinalSnapshot: boolean): Promise<void> {
    const { clusters, records } = this.#parts;
    const found = this.#find(identifier);
    if (found === undefined) throw clusterNotFound(identifier);
    if (found.record.deletionProtection) {
      throw combination('Cannot delete protected Cluster, please disable deletion protection and try again.');
    }
    if (!skipFinalSnapshot) {
      throw combination('FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.');
    }
    if (this.#hasSecondaries(found)) {
      throw new AwsError(
        'InvalidGlobalClusterStateFault',
        'Unable to delete cluster that is a primary member of global cluster while there are other global cluster members',
      );
    }
    const members = this.#parts
      .knownInstances()
      .filter(({ cluster }) => cluster.description.identifier === identifier);
    if (members.some(({ record }) => record.pending?.state !== 'deleting')) {
      throw invalidState('Cluster cannot be deleted, it still contains DB instances in non-deleting state.');
    }
    await Promise.all(members.map(({ description }) => this.#working.get(description.identifier)));
    await clusters.removeCluster(identifier);
    delete records.state.clusters[identifier];
    await records.save();
  }

  async setDeletionProtection(identifier: string, deletionProtection: boolean): Promise<void> {
    const found = this.#find(identifier);
    if (found === undefined) throw clusterNotFound(identifier);
    this.#parts.records.state.clusters[identifier] = { ...found.record, deletionProtection };
    await this.#parts.records.save();
  }

  /** Goes on with what is to be created and deleted. */
  resume(): void {
    for (const [identifier, { pending }] of Object.entries(this.#parts.records.state.instances)) {
      if (pending === undefined || pending.state === 'failed' || this.#working.has(identifier)) continue;
      const work =
        pending.state === 'creating'
          ? this.#create(identifier, pending.cluster)
          : this.#delete(identifier, pending.cluster);
      const done = work
        .catch(async (error: Error) => {
          this.#parts.report(
            `The instance ${identifier} could not be ${pending.state === 'creating' ? 'created' : 'deleted'}: ${error.message}`,
          );
          pending.state = 'failed';
          await this.#parts.records.save();
        })
        .finally(() => this.#working.delete(identifier));
      this.#working.set(identifier, done);
    }
  }

  async #create(identifier: string, cluster: string): Promise<void> {
    const { clusters, records } = this.#parts;
    await clusters.ensureInstance({ cluster, identifier });
    const record = records.state.instances[identifier];
    if (record?.pending?.state === 'creating') delete record.pending;
    await records.save();
  }

  async #delete(identifier: string, cluster: string): Promise<void> {
    const { clusters, records } = this.#parts;
    if (this.#find(cluster) !== undefined) await clusters.removeInstance(cluster, identifier);
    delete records.state.instances[identifier];
    await records.save();
  }

  /** Whether it is the primary of a global database with other clusters. */
  #hasSecondaries({ description: { global } }: KnownCluster): boolean {
    return global?.primary === true && this.#parts.clusters.globals.membersOf(global.identifier).length > 1;
  }

  #find(identifier: string): KnownCluster | undefined {
    return this.#parts.knownClusters().find(({ description }) => description.identifier === identifier);
  }

  /** Milliseconds since the epoch; undefined: the latest. @throws AwsError for what RDS does not take together. */
  #targetOf({ RestoreType, RestoreToTime, UseLatestRestorableTime }: RestoreRequest): number | undefined {
    if (RestoreToTime !== undefined && UseLatestRestorableTime) {
      throw combination('RestoreToTime and UseLatestRestorableTime cannot be specified together.');
    }
    if (RestoreToTime !== undefined && RestoreType === 'copy-on-write') {
      throw combination('RestoreToTime cannot be specified with the restore type copy-on-write.');
    }
    if (RestoreToTime === undefined && !UseLatestRestorableTime) {
      throw combination('Either RestoreToTime or UseLatestRestorableTime must be specified.');
    }
    // RDS works with whole seconds.
    return RestoreToTime && Math.floor(RestoreToTime.getTime() / 1000) * 1000;
  }
}

/** What is described of an instance that PostgreSQL's side does not have yet. */
export function pendingInstances(records: Records, clusters: readonly KnownCluster[]): KnownInstance[] {
  return Object.entries(records.instances).flatMap(([identifier, record]: [string, InstanceRecord]) => {
    const cluster = clusters.find(({ description }) => description.identifier === record.pending?.cluster);
    if (record.pending === undefined || cluster === undefined) return [];
    if (cluster.description.instances.some((instance) => instance.identifier === identifier)) return [];
    const description = {
      identifier,
      resourceId: '',
      createdAt: record.pending.since,
      endpoint: { host: '', port: 0 },
      writer: cluster.description.instances.length === 0 && cluster.description.global?.primary !== false,
      status: 'starting' as const,
      pid: undefined,
    };
    return [{ cluster, description, record }];
  });
}
