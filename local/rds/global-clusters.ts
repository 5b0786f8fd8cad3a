import type { FailoverState, GlobalCluster } from '@aws-sdk/client-rds';
import { AwsError } from '../aws/operation.ts';
import type { ServiceEvent } from '../events/event.ts';
import type { PostgresClusters } from '../postgres/clusters.ts';
import type { GlobalPromotion } from '../postgres/global-database.ts';
import { arnOf, clusterNotFound, globalArnOf } from './arns.ts';
import { globalFailoverEvent } from './failover-events.ts';
import { engine, type KnownCluster } from './shapes.ts';

interface Parts {
  accountId: string;
  clusters: PostgresClusters;
  /** Those of all regions. */
  knownClusters(): KnownCluster[];
  putEvent?: ((event: ServiceEvent) => unknown) | undefined;
  report?: ((message: string) => void) | undefined;
}

/** The client's enumeration of states lacks `switching-over`, which its own documentation has. */
type GlobalShape = Omit<GlobalCluster, 'FailoverState'> & {
  FailoverState?: Omit<FailoverState, 'Status'> & { Status: string };
};

/** A global database as RDS knows it. */
export interface KnownGlobal {
  identifier: string;
  members: KnownCluster[];
  /** Set while it fails or switches over. */
  promotion: GlobalPromotion | undefined;
}

/** RDS's side of Aurora global databases: what is told of them, and how they are failed and switched over. */
export class GlobalClusters {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  all(): KnownGlobal[] {
    const clusters = this.#parts.knownClusters();
    const identifiers = new Set(clusters.flatMap(({ description: { global } }) => global?.identifier ?? []));
    return [...identifiers].map((identifier) => ({
      identifier,
      members: clusters.filter(({ description: { global } }) => global?.identifier === identifier),
      promotion: this.#parts.clusters.globals.promotionOf(identifier),
    }));
  }

  /** A global database as DescribeGlobalClusters shows it. */
  shape({ identifier, members, promotion }: KnownGlobal): GlobalShape {
    const { accountId, clusters } = this.#parts;
    const arnNamed = (name: string) => {
      const found = members.find(({ description }) => description.identifier === name);
      return found && this.#arn(found);
    };
    const primary = members.find(isPrimary);
    const status = promotion?.allowDataLoss === true ? 'failing-over' : 'switching-over';
    return {
      GlobalClusterIdentifier: identifier,
      GlobalClusterArn: globalArnOf({ accountId }, identifier),
      Status: promotion === undefined ? 'available' : status,
      Engine: engine,
      EngineVersion: primary?.description.engineVersion,
      DatabaseName: primary?.description.database,
      StorageEncrypted: primary?.record.kmsKeyId !== undefined,
      DeletionProtection: false,
      GlobalClusterMembers: members.map((member) => {
        const { identifier: name, instances } = member.description;
        const synchronized = clusters.cluster(name).current.length === instances.length;
        return {
          DBClusterArn: this.#arn(member),
          IsWriter: isPrimary(member),
          Readers: isPrimary(member)
            ? members.filter((other) => !isPrimary(other)).map((other) => this.#arn(other))
            : [],
          ...(!isPrimary(member) && { GlobalWriteForwardingStatus: 'disabled' as const }),
          SynchronizationStatus: synchronized ? ('connected' as const) : ('pending-resync' as const),
        };
      }),
      ...(promotion !== undefined && {
        FailoverState: {
          Status: status,
          FromDbClusterArn: arnNamed(promotion.from),
          ToDbClusterArn: arnNamed(promotion.to),
          IsDataLossAllowed: promotion.allowDataLoss,
        },
      }),
    };
  }

  /** Makes a secondary the primary, in the background. @throws AwsError as RDS does. */
  async promote(global: KnownGlobal, targetArn: string, allowDataLoss: boolean): Promise<void> {
    const { globals } = this.#parts.clusters;
    const { identifier, members } = global;
    const target = members.find((member) => this.#arn(member) === targetArn);
    if (target === undefined) throw clusterNotFound(targetArn);
    const primary = members.find(isPrimary);
    const invalid = (reason: string) => new AwsError('InvalidGlobalClusterStateFault', reason);
    if (target === primary) throw invalid(`${targetArn} is the primary cluster of ${identifier} already.`);
    const expectNone = () => {
      if (globals.promotionOf(identifier) === undefined) return;
      throw invalid(`Global cluster ${identifier} is failing or switching over already.`);
    };
    expectNone();
    const name = target.description.identifier;
    const changing = [target, ...(allowDataLoss ? [] : [primary])].find((one) => one?.failingOver === true);
    const obstacle =
      changing === undefined
        ? await globals.obstacle(identifier, name, allowDataLoss)
        : `DB cluster ${changing.description.identifier} is failing over.`;
    expectNone();
    if (obstacle !== undefined) throw new AwsError('InvalidDBClusterStateFault', obstacle);
    const tell = (step: Parameters<typeof globalFailoverEvent>[2], cluster = target) =>
      this.#parts.putEvent?.(
        globalFailoverEvent(this.#placeOf(cluster), cluster.description.identifier, step),
      );
    if (!allowDataLoss) tell('switchover started');
    const promoted = globals.promote(identifier, name, allowDataLoss, (step) => {
      if (!allowDataLoss) tell(step, step === 'stopped' ? primary : target);
    });
    promoted.then(
      async () => {
        tell(allowDataLoss ? 'failover completed' : 'switchover finished');
        if (!allowDataLoss || primary === undefined) return;
        tell('resynchronization started', primary);
        const old = this.#parts.clusters.cluster(primary.description.identifier);
        await old.settled();
        if (old.current.length === old.state.instances.length) tell('resynchronization finished', primary);
      },
      (error: Error) => {
        this.#parts.report?.(`The promotion of ${name} in ${identifier} failed: ${error.message}`);
        tell(allowDataLoss ? 'failover failed' : 'switchover failed');
      },
    );
  }

  #placeOf({ region }: KnownCluster) {
    return { region, accountId: this.#parts.accountId };
  }

  #arn(cluster: KnownCluster): string {
    return arnOf(this.#placeOf(cluster), 'cluster', cluster.description.identifier);
  }
}

const isPrimary = ({ description: { global } }: KnownCluster) => global?.primary === true;
