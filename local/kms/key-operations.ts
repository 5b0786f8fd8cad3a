import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { type Key, keyMetadata, requireNotPendingDeletion, stateOf } from './key.ts';
import type { KeyStore } from './key-store.ts';
import { kmsError } from './kms-error.ts';
import { keyIdSchema, keyOperation } from './operations.ts';

const keySchema = z.strictObject({ KeyId: keyIdSchema });
const pageSchema = z.strictObject({
  Limit: z.int().min(1).max(1000).default(100),
  Marker: z.string().optional(),
});
const day = 24 * 3600_000;

/** Operations that look at keys or change their state. */
export function keyOperations(store: KeyStore): Record<string, Operation> {
  const everything = (action: string) => () => [{ action, resource: '*' }];
  const change = (name: string, apply: (key: Key) => void) =>
    keyOperation(store, name, keySchema, async (key) => {
      apply(key);
      await store.save();
      return {};
    });

  return {
    DescribeKey: {
      ...keyOperation(store, 'DescribeKey', keySchema, () => undefined),
      run: ({ KeyId }, { accountId }) => ({
        KeyMetadata: keyMetadata(store.find(String(KeyId)), accountId),
      }),
    },
    ListKeys: defineOperation('kms:ListKeys', pageSchema, {
      authorize: everything('kms:ListKeys'),
      run: ({ Limit, Marker }) => {
        const options = { keyOf: (key: Key) => key.keyId, limit: Limit, token: Marker };
        const { items, next } = page(store.keys(), { ...options, invalidToken: 'InvalidMarkerException' });
        return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...continued(next) };
      },
    }),
    ListAliases: defineOperation('kms:ListAliases', pageSchema.extend({ KeyId: keyIdSchema.optional() }), {
      authorize: everything('kms:ListAliases'),
      run: ({ Limit, Marker, KeyId }) => {
        const key = KeyId === undefined ? undefined : store.find(KeyId);
        const aliases = store.aliases().filter((alias) => key === undefined || alias.key === key);
        const options = { keyOf: (alias: { name: string }) => alias.name, limit: Limit, token: Marker };
        const { items, next } = page(aliases, { ...options, invalidToken: 'InvalidMarkerException' });
        const listed = items.map(({ name, arn, key: target }) => ({
          AliasName: name,
          AliasArn: arn,
          TargetKeyId: target.keyId,
        }));
        return { Aliases: listed, ...continued(next) };
      },
    }),
    EnableKey: change('EnableKey', (key) => {
      requireNotPendingDeletion(key);
      key.enabled = true;
    }),
    DisableKey: change('DisableKey', (key) => {
      requireNotPendingDeletion(key);
      key.enabled = false;
    }),
    ScheduleKeyDeletion: keyOperation(
      store,
      'ScheduleKeyDeletion',
      keySchema.extend({ PendingWindowInDays: z.int().min(7).max(30).default(30) }),
      async (key, { PendingWindowInDays }) => {
        requireNotPendingDeletion(key);
        if (key.replicaArns.length > 0) {
          throw kmsError.unsupported(`${key.arn} has replicas; deleting it before them is not emulated.`);
        }
        key.deletionAt = Date.now() + PendingWindowInDays * day;
        await store.save();
        const DeletionDate = new Date(key.deletionAt);
        return { KeyId: key.arn, DeletionDate, KeyState: stateOf(key), PendingWindowInDays };
      },
    ),
    CancelKeyDeletion: keyOperation(store, 'CancelKeyDeletion', keySchema, async (key) => {
      if (key.deletionAt === undefined) {
        throw new AwsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
      }
      delete key.deletionAt;
      key.enabled = false;
      await store.save();
      return { KeyId: key.arn };
    }),
    GetKeyPolicy: keyOperation(
      store,
      'GetKeyPolicy',
      keySchema.extend({ PolicyName: z.literal('default').optional() }),
      (key) => ({ Policy: JSON.stringify(key.policy), PolicyName: 'default' }),
    ),
    GetKeyRotationStatus: keyOperation(store, 'GetKeyRotationStatus', keySchema, (key) => {
      if (key.spec === 'HMAC_256')
        throw kmsError.unsupported(`${key.arn} is an HMAC key, which has no rotation.`);
      return {
        KeyId: key.arn,
        KeyRotationEnabled: key.rotation,
        ...(key.rotation ? { RotationPeriodInDays: 365 } : {}),
      };
    }),
  };
}

function continued(next: string | undefined): Record<string, unknown> {
  return next === undefined ? { Truncated: false } : { Truncated: true, NextMarker: next };
}
