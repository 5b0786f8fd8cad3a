import {
  DescribeGlobalClusters$,
  FailoverGlobalCluster$,
  SwitchoverGlobalCluster$,
} from '@aws-sdk/client-rds';
import * as z from 'zod';
import type { QueryOperation } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { arnOf, globalArnOf, type Place } from './arns.ts';
import { filtered, filtersSchema } from './filters.ts';
import type { GlobalClusters, KnownGlobal } from './global-clusters.ts';

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
  /** An ARN, or the name of a cluster in the region of the request. */
  TargetDbClusterIdentifier: z.string().min(1),
});
const failoverSchema = switchoverSchema.extend({
  AllowDataLoss: z.boolean().optional(),
  Switchover: z.boolean().optional(),
});

/** The operations on Aurora global databases, which are the same in all regions. */
export function globalOperations(place: Place, globals: GlobalClusters): Record<string, QueryOperation> {
  const find = (identifier: string): KnownGlobal => {
    const found = globals.all().find((global) => global.identifier === identifier);
    if (found !== undefined) return found;
    throw new AwsError('GlobalClusterNotFoundFault', `Global cluster ${identifier} not found.`, 404);
  };
  /** A target that is not named by its ARN is looked for where the request is made. */
  const arnOfTarget = (target: string) =>
    target.startsWith('arn:') ? target : arnOf(place, 'cluster', target.toLowerCase());
  const onBoth = (action: string, input: z.output<typeof switchoverSchema>) => [
    { action: `rds:${action}`, resource: globalArnOf(place, input.GlobalClusterIdentifier) },
    { action: `rds:${action}`, resource: arnOfTarget(input.TargetDbClusterIdentifier) },
  ];
  const promote = async (input: z.output<typeof switchoverSchema>, allowDataLoss: boolean) => {
    const { GlobalClusterIdentifier: identifier, TargetDbClusterIdentifier: target } = input;
    await globals.promote(find(identifier), arnOfTarget(target), allowDataLoss);
    return { GlobalCluster: globals.shape(find(identifier)) };
  };

  return {
    DescribeGlobalClusters: {
      schema: DescribeGlobalClusters$,
      ...defineOperation('rds:DescribeGlobalClusters', describeSchema, {
        authorize: ({ GlobalClusterIdentifier = '*' }) => [
          { action: 'rds:DescribeGlobalClusters', resource: globalArnOf(place, GlobalClusterIdentifier) },
        ],
        run: ({ GlobalClusterIdentifier: identifier, Filters, MaxRecords, Marker }) => {
          const all = identifier === undefined ? globals.all() : [find(identifier)];
          const wanted = filtered(all, Filters, {
            region: ({ members }) => members.map(({ region }) => region),
          });
          const { items, next } = page(wanted, {
            keyOf: (global) => global.identifier,
            limit: MaxRecords,
            token: Marker,
            invalidToken: 'InvalidParameterValue',
          });
          return { GlobalClusters: items.map((global) => globals.shape(global)), Marker: next };
        },
      }),
    },
    FailoverGlobalCluster: {
      schema: FailoverGlobalCluster$,
      ...defineOperation('rds:FailoverGlobalCluster', failoverSchema, {
        authorize: (input) => onBoth('FailoverGlobalCluster', input),
        run: ({ AllowDataLoss = false, Switchover, ...input }) => {
          if (AllowDataLoss && Switchover === true) {
            throw new AwsError(
              'InvalidParameterCombination',
              'AllowDataLoss and Switchover cannot be specified together.',
            );
          }
          return promote(input, AllowDataLoss);
        },
      }),
    },
    SwitchoverGlobalCluster: {
      schema: SwitchoverGlobalCluster$,
      ...defineOperation('rds:SwitchoverGlobalCluster', switchoverSchema, {
        authorize: (input) => onBoth('SwitchoverGlobalCluster', input),
        run: (input) => promote(input, false),
      }),
    },
  };
}
