import {
  DescribeGlobalClusters$,
  FailoverGlobalCluster$,
  SwitchoverGlobalCluster$,
} from '@aws-sdk/client-rds';
import * as z from 'zod';
import type { QueryOperation } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError } from '../aws/operation.ts';
import { arnOf, globalArnOf, type Place } from './arns.ts';
import { filtersSchema } from './filters.ts';
import { clusterIdentifier } from './requests.ts';

const globalIdentifier = z
  .string()
  .min(1)
  .transform((text) => text.toLowerCase());

const describeSchema = z.strictObject({
  GlobalClusterIdentifier: globalIdentifier.optional(),
  Filters: filtersSchema,
  MaxRecords: z.int().min(20).max(100).default(100),
  Marker: z.string().optional(),
});
const switchoverSchema = z.strictObject({
  GlobalClusterIdentifier: globalIdentifier,
  TargetDbClusterIdentifier: clusterIdentifier,
});
const failoverSchema = switchoverSchema.extend({
  AllowDataLoss: z.boolean().optional(),
  Switchover: z.boolean().optional(),
});

/**
 * The operations on Aurora global databases. All clusters of this machine are in one region, so there is no global database: what
 * names one is checked as RDS checks it, and then not found.
 */
export function globalOperations(place: Place): Record<string, QueryOperation> {
  const missing = (identifier: string) =>
    new AwsError(
      'GlobalClusterNotFoundFault',
      `Global cluster ${identifier} not found. The local runtime has clusters in one region and no global ones.`,
      404,
    );
  const onBoth = (action: string, input: z.output<typeof switchoverSchema>) => [
    { action: `rds:${action}`, resource: globalArnOf(place, input.GlobalClusterIdentifier) },
    { action: `rds:${action}`, resource: arnOf(place, 'cluster', input.TargetDbClusterIdentifier) },
  ];

  return {
    DescribeGlobalClusters: {
      schema: DescribeGlobalClusters$,
      ...defineOperation('rds:DescribeGlobalClusters', describeSchema, {
        authorize: ({ GlobalClusterIdentifier = '*' }) => [
          { action: 'rds:DescribeGlobalClusters', resource: globalArnOf(place, GlobalClusterIdentifier) },
        ],
        run: ({ GlobalClusterIdentifier: identifier }) => {
          if (identifier !== undefined) throw missing(identifier);
          return { GlobalClusters: [] };
        },
      }),
    },
    FailoverGlobalCluster: {
      schema: FailoverGlobalCluster$,
      ...defineOperation('rds:FailoverGlobalCluster', failoverSchema, {
        authorize: (input) => onBoth('FailoverGlobalCluster', input),
        run: ({ GlobalClusterIdentifier, AllowDataLoss, Switchover }) => {
          if (AllowDataLoss === true && Switchover === true) {
            throw new AwsError(
              'InvalidParameterCombination',
              'AllowDataLoss and Switchover cannot be specified together.',
            );
          }
          throw missing(GlobalClusterIdentifier);
        },
      }),
    },
    SwitchoverGlobalCluster: {
      schema: SwitchoverGlobalCluster$,
      ...defineOperation('rds:SwitchoverGlobalCluster', switchoverSchema, {
        authorize: (input) => onBoth('SwitchoverGlobalCluster', input),
        run: ({ GlobalClusterIdentifier }) => {
          throw missing(GlobalClusterIdentifier);
        },
      }),
    },
  };
}
