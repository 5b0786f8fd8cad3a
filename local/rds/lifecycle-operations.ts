import {
  CreateDBInstance$,
  DeleteDBCluster$,
  DeleteDBInstance$,
  ModifyDBCluster$,
  RestoreDBClusterToPointInTime$,
} from '@aws-sdk/client-rds';
import { postgresMajor } from '../../lib/constants.ts';
import type { QueryOperation } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import type { Authorization } from '../aws/operation.ts';
import { arnOf, clusterNotFound, instanceNotFound, type Place } from './arns.ts';
import type { Lifecycle } from './lifecycle.ts';
import {
  createInstanceSchema,
  deleteClusterSchema,
  deleteInstanceSchema,
  modifyClusterSchema,
  restoreSchema,
} from './requests.ts';
import { clusterShape, engine, instanceShape, type KnownCluster, type KnownInstance } from './shapes.ts';

interface Parts {
  place: Place;
  lifecycle: Lifecycle;
  clusters(): KnownCluster[];
  instances(): KnownInstance[];
  tierOf(instance: string): number;
}

/** The operations of RDS by which clusters and instances come and go. */
export function lifecycleOperations(rds: Parts): Record<string, QueryOperation> {
  const { place, lifecycle } = rds;
  const cluster = (identifier: string) => arnOf(place, 'cluster', identifier);
  const instance = (identifier: string) => arnOf(place, 'db', identifier);
  const find = (identifier: string): KnownCluster => {
    const found = rds.clusters().find(({ description }) => description.identifier === identifier);
    if (found === undefined) throw clusterNotFound(identifier);
    return found;
  };
  const show = (identifier: string) => ({
    DBCluster: clusterShape(place, find(identifier), rds.tierOf),
  });
  const showInstance = (identifier: string) => {
    const found = rds.instances().find(({ description }) => description.identifier === identifier);
    if (found === undefined) throw instanceNotFound(identifier);
    return { DBInstance: instanceShape(place, found) };
  };
  /** An option group that nobody chose is asked for as well. */
  const optionGroup = arnOf(place, 'og', `default:${engine}-${postgresMajor}`);
  const tagging = (tags: readonly unknown[], resource: string): Authorization[] =>
    tags.length === 0 ? [] : [{ action: 'rds:AddTagsToResource', resource }];
  /** RDS uses the caller's right to a key to make a grant for itself. */
  const usingKey = (key: string | undefined): Authorization[] =>
    key?.startsWith('arn:') !== true
      ? []
      : ['kms:DescribeKey', 'kms:CreateGrant'].map((action) => ({
          action,
          resource: key,
          context: {
            'kms:ViaService': `rds.${place.region}.amazonaws.com`,
            'kms:CallerAccount': place.accountId,
            ...(action === 'kms:CreateGrant' && { 'kms:GrantIsForAWSResource': 'true' }),
          },
        }));

  return {
    RestoreDBClusterToPointInTime: {
      schema: RestoreDBClusterToPointInTime$,
      ...defineOperation('rds:RestoreDBClusterToPointInTime', restoreSchema, {
        authorize: (input) => {
          const source = rds
            .clusters()
            .find(({ description }) => description.identifier === input.SourceDBClusterIdentifier);
          const target = cluster(input.DBClusterIdentifier);
          return [
            ...[
              cluster(input.SourceDBClusterIdentifier),
              target,
              optionGroup,
              arnOf(place, 'subgrp', input.DBSubnetGroupName ?? 'default'),
              arnOf(
                place,
                'cluster-pg',
                input.DBClusterParameterGroupName ?? `default.${engine}${postgresMajor}`,
              ),
            ].map((resource) => ({ action: 'rds:RestoreDBClusterToPointInTime', resource })),
            ...tagging(input.Tags, target),
            ...usingKey(input.KmsKeyId ?? source?.record.kmsKeyId),
          ];
        },
        run: async (input) => {
          find(input.SourceDBClusterIdentifier);
          await lifecycle.restoreCluster(input);
          return show(input.DBClusterIdentifier);
        },
      }),
    },
    CreateDBInstance: {
      schema: CreateDBInstance$,
      ...defineOperation('rds:CreateDBInstance', createInstanceSchema, {
        authorize: (input) => [
          ...[
            instance(input.DBInstanceIdentifier),
            cluster(input.DBClusterIdentifier),
            optionGroup,
            arnOf(place, 'pg', input.DBParameterGroupName ?? `default.${engine}${postgresMajor}`),
          ].map((resource) => ({ action: 'rds:CreateDBInstance', resource })),
          ...tagging(input.Tags, instance(input.DBInstanceIdentifier)),
          ...usingKey(input.PerformanceInsightsKMSKeyId),
        ],
        run: async (input) => {
          find(input.DBClusterIdentifier);
          await lifecycle.createInstance(input);
          return showInstance(input.DBInstanceIdentifier);
        },
      }),
    },
    DeleteDBInstance: {
      schema: DeleteDBInstance$,
      ...defineOperation('rds:DeleteDBInstance', deleteInstanceSchema, {
        authorize: ({ DBInstanceIdentifier: identifier }) => [
          { action: 'rds:DeleteDBInstance', resource: instance(identifier) },
        ],
        run: async ({ DBInstanceIdentifier: identifier }) => {
          const before = showInstance(identifier);
          await lifecycle.deleteInstance(identifier);
          return { DBInstance: { ...before.DBInstance, DBInstanceStatus: 'deleting' } };
        },
      }),
    },
    DeleteDBCluster: {
      schema: DeleteDBCluster$,
      ...defineOperation('rds:DeleteDBCluster', deleteClusterSchema, {
        authorize: ({ DBClusterIdentifier: identifier }) => [
          { action: 'rds:DeleteDBCluster', resource: cluster(identifier) },
        ],
        run: async ({ DBClusterIdentifier: identifier, SkipFinalSnapshot }) => {
          const before = show(identifier);
          await lifecycle.deleteCluster(identifier, SkipFinalSnapshot);
          return { DBCluster: { ...before.DBCluster, Status: 'deleting' } };
        },
      }),
    },
    ModifyDBCluster: {
      schema: ModifyDBCluster$,
      ...defineOperation('rds:ModifyDBCluster', modifyClusterSchema, {
        authorize: ({ DBClusterIdentifier: identifier }) => [
          { action: 'rds:ModifyDBCluster', resource: cluster(identifier) },
        ],
        run: async ({ DBClusterIdentifier: identifier, DeletionProtection }) => {
          find(identifier);
          if (DeletionProtection !== undefined) {
            await lifecycle.setDeletionProtection(identifier, DeletionProtection);
          }
          return show(identifier);
        },
      }),
    },
  };
}
