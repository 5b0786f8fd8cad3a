import {
  type DBClusterEndpoint,
  DescribeDBClusterEndpoints$,
  DescribeDBClusters$,
  DescribeDBInstances$,
  FailoverDBCluster$,
  ListTagsForResource$,
} from '@aws-sdk/client-rds';
import * as z from 'zod';
import type { QueryOperation } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { arnOf, clusterNotFound, identifierOf, instanceNotFound, type Place } from './arns.ts';
import { filtered, filtersSchema } from './filters.ts';
import type { GlobalClusters } from './global-clusters.ts';
import { globalOperations } from './global-operations.ts';
import type { Lifecycle } from './lifecycle.ts';
import { lifecycleOperations } from './lifecycle-operations.ts';
import { clusterIdentifier, instanceIdentifier } from './requests.ts';
import {
  clusterShape,
  endpointShapes,
  engine,
  instanceShape,
  type KnownCluster,
  type KnownInstance,
  tagList,
} from './shapes.ts';

export interface RdsParts {
  /** The region that is asked; clusters and instances are those that are there. */
  place: Place;
  globals: GlobalClusters;
  clusters(): KnownCluster[];
  instances(): KnownInstance[];
  lifecycle: Lifecycle;
  /** Makes a reader the writer, in the background. @throws when the cluster has no reader to take over. */
  failOver(cluster: KnownCluster, target: string | undefined): void;
}

const pagingSchema = z.strictObject({
  Filters: filtersSchema,
  MaxRecords: z.int().default(100),
  Marker: z.string().optional(),
});

const describeClustersSchema = pagingSchema.extend({
  DBClusterIdentifier: clusterIdentifier.optional(),
  // Clusters that other accounts share; there are none.
  IncludeShared: z.boolean().optional(),
});
const describeInstancesSchema = pagingSchema.extend({ DBInstanceIdentifier: instanceIdentifier.optional() });
const describeEndpointsSchema = pagingSchema.extend({ DBClusterIdentifier: clusterIdentifier.optional() });
const failoverSchema = z.strictObject({
  DBClusterIdentifier: clusterIdentifier,
  TargetDBInstanceIdentifier: instanceIdentifier.optional(),
});
const tagsSchema = z.strictObject({ ResourceName: z.string().startsWith('arn:'), Filters: filtersSchema });

/** The operations of RDS that the local runtime has. */
export function rdsOperations(rds: RdsParts): Record<string, QueryOperation> {
  const { place } = rds;
  const find = (identifier: string): KnownCluster => {
    const found = rds.clusters().find(({ description }) => description.identifier === identifier);
    if (found === undefined) throw clusterNotFound(identifier);
    return found;
  };
  const shape = (cluster: KnownCluster) =>
    clusterShape(place, cluster, (instance) => tierOf(rds.instances(), instance));
  const onCluster = (action: string, identifier = '*') => [
    { action: `rds:${action}`, resource: arnOf(place, 'cluster', identifier) },
  ];

  return {
    DescribeDBClusters: {
      schema: DescribeDBClusters$,
      ...defineOperation('rds:DescribeDBClusters', describeClustersSchema, {
        authorize: ({ DBClusterIdentifier }) => onCluster('DescribeDBClusters', DBClusterIdentifier),
        run: ({ DBClusterIdentifier, ...paging }) => {
          const all = DBClusterIdentifier === undefined ? rds.clusters() : [find(DBClusterIdentifier)];
          const { items, next } = select(all, paging, clusterFilters(place));
          return { DBClusters: items.map(shape), Marker: next };
        },
      }),
    },
    DescribeDBInstances: {
      schema: DescribeDBInstances$,
      ...defineOperation('rds:DescribeDBInstances', describeInstancesSchema, {
        authorize: ({ DBInstanceIdentifier: identifier = '*' }) => [
          { action: 'rds:DescribeDBInstances', resource: arnOf(place, 'db', identifier) },
        ],
        run: ({ DBInstanceIdentifier: identifier, ...paging }) => {
          const all = rds
            .instances()
            .filter(({ description }) => (identifier ?? description.identifier) === description.identifier);
          if (identifier !== undefined && all.length === 0) throw instanceNotFound(identifier);
          const { items, next } = select(all, paging, instanceFilters(place));
          return { DBInstances: items.map((instance) => instanceShape(place, instance)), Marker: next };
        },
      }),
    },
    DescribeDBClusterEndpoints: {
      schema: DescribeDBClusterEndpoints$,
      ...defineOperation('rds:DescribeDBClusterEndpoints', describeEndpointsSchema, {
        authorize: ({ DBClusterIdentifier }) => onCluster('DescribeDBClusterEndpoints', DBClusterIdentifier),
        run: ({ DBClusterIdentifier, Filters, Marker, MaxRecords }) => {
          const all = DBClusterIdentifier === undefined ? rds.clusters() : [find(DBClusterIdentifier)];
          const endpoints = filtered(all.flatMap(endpointShapes), Filters, {
            'db-cluster-endpoint-type': ({ EndpointType = '' }) => [EndpointType],
            'db-cluster-endpoint-status': ({ Status = '' }) => [Status],
          });
          const keyOf = (endpoint: DBClusterEndpoint) =>
            `${endpoint.DBClusterIdentifier}/${endpoint.EndpointType}`;
          const { items, next } = pageOf(endpoints, keyOf, Marker, MaxRecords);
          return { DBClusterEndpoints: items, Marker: next };
        },
      }),
    },
    FailoverDBCluster: {
      schema: FailoverDBCluster$,
      ...defineOperation('rds:FailoverDBCluster', failoverSchema, {
        authorize: ({ DBClusterIdentifier }) => onCluster('FailoverDBCluster', DBClusterIdentifier),
        run: ({ DBClusterIdentifier, TargetDBInstanceIdentifier }) => {
          rds.failOver(find(DBClusterIdentifier), TargetDBInstanceIdentifier);
          return { DBCluster: shape(find(DBClusterIdentifier)) };
        },
      }),
    },
    ListTagsForResource: {
      schema: ListTagsForResource$,
      ...defineOperation('rds:ListTagsForResource', tagsSchema, {
        authorize: ({ ResourceName }) => [{ action: 'rds:ListTagsForResource', resource: ResourceName }],
        run: ({ ResourceName }) => ({ TagList: tagList(tagsOf(rds, ResourceName)) }),
      }),
    },
    ...globalOperations(place, rds.globals),
    ...lifecycleOperations({ ...rds, tierOf: (instance) => tierOf(rds.instances(), instance) }),
  };
}

/** One page of a list. @throws AwsError `InvalidParameterValue` for a page size or marker that RDS does not take. */
function pageOf<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  marker: string | undefined,
  size: number,
) {
  if (size < 20 || size > 100) {
    throw new AwsError(
      'InvalidParameterValue',
      `Invalid value ${size} for MaxRecords. Must be between 20 and 100`,
    );
  }
  return page(items, { keyOf, limit: size, token: marker, invalidToken: 'InvalidParameterValue' });
}

type Named = { description: { identifier: string } };

function select<T extends Named>(
  items: readonly T[],
  { Filters, Marker, MaxRecords }: z.output<typeof pagingSchema>,
  properties: Parameters<typeof filtered<T>>[2],
) {
  const keyOf = ({ description }: Named) => description.identifier;
  return pageOf(filtered(items, Filters, properties), keyOf, Marker, MaxRecords);
}

const clusterFilters = (place: Place) => ({
  'db-cluster-id': ({ description: { identifier } }: KnownCluster) => [
    identifier,
    arnOf(place, 'cluster', identifier),
  ],
  'db-cluster-resource-id': ({ description }: KnownCluster) => [description.resourceId],
  engine: () => [engine],
});

const instanceFilters = (place: Place) => ({
  'db-cluster-id': ({ cluster }: KnownInstance) => clusterFilters(place)['db-cluster-id'](cluster),
  'db-instance-id': ({ description: { identifier } }: KnownInstance) => [
    identifier,
    arnOf(place, 'db', identifier),
  ],
  'dbi-resource-id': ({ description }: KnownInstance) => [description.resourceId],
  engine: () => [engine],
});

function tierOf(instances: readonly KnownInstance[], identifier: string): number {
  return (
    instances.find(({ description }) => description.identifier === identifier)?.record.promotionTier ?? 1
  );
}

function tagsOf(rds: RdsParts, arn: string): Readonly<Record<string, string>> {
  const owner = [
    ...rds
      .clusters()
      .map((cluster) => ({ ...cluster, arn: arnOf(rds.place, 'cluster', cluster.description.identifier) })),
    ...rds
      .instances()
      .map((instance) => ({ ...instance, arn: arnOf(rds.place, 'db', instance.description.identifier) })),
  ].find((resource) => resource.arn === arn);
  if (owner !== undefined) return owner.record.tags;
  throw arn.includes(':db:')
    ? instanceNotFound(identifierOf(arn, 'db'))
    : clusterNotFound(identifierOf(arn, 'cluster'));
}
