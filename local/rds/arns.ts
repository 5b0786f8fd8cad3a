import { AwsError } from '../aws/operation.ts';

/** Where the clusters are said to be. */
export interface Place {
  region: string;
  accountId: string;
}

/** Kinds of resources, as ARNs of RDS name them. */
export type Kind = 'cluster' | 'db' | 'subgrp' | 'cluster-pg' | 'pg' | 'og';

/** The ARN of a cluster or an instance; `*` as the identifier stands for all of them. */
export function arnOf({ region, accountId }: Place, kind: Kind, identifier: string): string {
  return `arn:aws:rds:${region}:${accountId}:${kind}:${identifier}`;
}

/** The ARN of an Aurora global database, which is in no region. */
export function globalArnOf({ accountId }: Pick<Place, 'accountId'>, identifier: string): string {
  return `arn:aws:rds::${accountId}:global-cluster:${identifier}`;
}

/** The identifier that a request names: identifiers come in any case, and clusters by ARN as well. */
export function identifierOf(text: string, kind: Kind): string {
  const arn = new RegExp(`^arn:[\\w-]+:rds:[^:]*:[^:]*:${kind}:(.+)$`).exec(text);
  return (arn?.[1] ?? text).toLowerCase();
}

export function clusterNotFound(identifier: string): AwsError {
  return new AwsError('DBClusterNotFoundFault', `DBCluster ${identifier} not found.`, 404);
}

export function instanceNotFound(identifier: string): AwsError {
  return new AwsError('DBInstanceNotFound', `DBInstance ${identifier} not found.`, 404);
}
