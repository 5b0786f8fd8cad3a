import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { ShardConfig } from '../config/data.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import { databaseUsers, restoredClusterPrefix } from '../constants.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import { createCluster } from './aurora-cluster.ts';
import type { Network } from './network.ts';

export type DatabaseUser = keyof typeof databaseUsers;

export interface ShardProps {
  /** Name of the environment, part of the cluster's name. */
  environment: string;
  shard: ShardConfig;
  config: DeploymentConfig;
  network: Network;
  key: kms.IKey;
}

/** How a cluster is found and reached, whether it was created here or adopted. */
export interface ClusterEndpoint {
  clusterIdentifier: string;
  /** The `cluster-…` id that IAM database authentication names. */
  resourceId: string;
  writerHost: string;
  writerPort: string;
  /** The secret that RDS keeps for the master user; an adopted cluster has none that Mainstay knows. */
  masterSecretArn?: string;
}

/** One shard: an Aurora PostgreSQL cluster, new or adopted, that functions can be let into. */
export class Shard extends Construct {
  readonly name: string;
  readonly database: string;
  readonly cluster: ClusterEndpoint;
  /** The other regions in which a global database has clusters that may take over. */
  private readonly otherRegions: readonly string[];
  /** ARN pattern of the clusters that restores to a point in time make, of any shard of the deployment. */
  readonly restoredClusters: string;

  constructor(scope: Construct, id: string, props: ShardProps) {
    super(scope, id);
    this.restoredClusters = Stack.of(this).formatArn({
      service: 'rds',
      resource: 'cluster',
      resourceName: `${restoredClusterPrefix(props.environment)}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const members = props.shard.failover.globalMembers ?? [];
    this.otherRegions = members.map(({ region }) => region);
    for (const { region, cidr, port } of members) {
      props.network.clients.addEgressRule(
        ec2.Peer.ipv4(cidr),
        ec2.Port.tcp(port),
        `Shard ${props.shard.name} in ${region}`,
      );
    }
    this.name = props.shard.name;
    this.database = props.shard.database;
    this.cluster =
      props.shard.adopt === undefined
        ? createCluster(this, props)
        : this.adopt(props.shard.adopt, props.network);
  }

  /** ARN of the cluster, for the RDS API. */
  get clusterArn(): string {
    return Stack.of(this).formatArn({
      service: 'rds',
      resource: 'cluster',
      resourceName: this.cluster.clusterIdentifier,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /**
   * Lets a function log in as one of the database roles, to this shard's cluster, to those that are restored, and to those of its
   * global database. It has to sit in the network to get there.
   */
  grantConnect(fn: BundledFunction, user: DatabaseUser): void {
    // The resource id of a cluster is known when it exists. One that is restored may become the shard's without a deployment.
    for (const region of [Stack.of(this).region, ...this.otherRegions]) {
      const logins = Stack.of(this).formatArn({
        service: 'rds-db',
        region,
        resource: 'dbuser',
        resourceName: `cluster-*/${databaseUsers[user]}`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
      fn.allow(['rds-db:connect'], [logins]);
      acknowledgeResource(
        fn.policies,
        logins,
        'Clusters that are restored, and those of a global database in other regions, have resource ids of their own, and IAM can name them by nothing else: rds-db:connect has no condition keys. The user is one that only Mainstay makes, and only the security group of this deployment’s functions gets to its clusters.',
      );
    }
  }

  /** Lets a function read the master user's password, where RDS keeps one. */
  grantReadMasterSecret(fn: BundledFunction): void {
    if (this.cluster.masterSecretArn === undefined) return;
    fn.allow(['secretsmanager:GetSecretValue'], [this.cluster.masterSecretArn]);
  }

  private adopt(adopted: NonNullable<ShardConfig['adopt']>, network: Network): ClusterEndpoint {
    const group = ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', adopted.securityGroupId);
    const ports = new Set([adopted.writerPort, ...(adopted.instances ?? []).map(({ port }) => port)]);
    for (const port of ports) {
      network.clients.connections.allowTo(group, ec2.Port.tcp(port), `Shard ${this.name}`);
    }
    return {
      clusterIdentifier: adopted.clusterIdentifier,
      resourceId: adopted.resourceId,
      writerHost: adopted.writerHost,
      writerPort: String(adopted.writerPort),
    };
  }
}
