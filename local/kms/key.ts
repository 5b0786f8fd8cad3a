import * as z from 'zod';
import { kmsError } from './kms-error.ts';

/** One stored key. Its material never leaves the state file. */
export const keySchema = z.object({
  /** What {@link KmsService.ensureKey} was called with: the same name is the same key across starts. */
  name: z.string(),
  keyId: z.string(),
  arn: z.string(),
  spec: z.enum(['SYMMETRIC_DEFAULT', 'HMAC_256']),
  multiRegion: z.boolean(),
  description: z.string(),
  enabled: z.boolean(),
  /** `enabled` as the key was last defined. */
  definedEnabled: z.boolean(),
  rotation: z.boolean(),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  /** Milliseconds since the epoch, when the key is pending deletion. */
  deletionAt: z.number().optional(),
  policy: z.json(),
  /** Of a replica: the key in another region that it is one of. */
  primaryArn: z.string().optional(),
  /** Of a primary: its replicas in other regions. */
  replicaArns: z.array(z.string()).default([]),
  /** 256 bits in base64. */
  material: z.base64(),
});

export type Key = z.infer<typeof keySchema>;
export type KeyUsage = 'ENCRYPT_DECRYPT' | 'GENERATE_VERIFY_MAC';

export function usageOf(key: Key): KeyUsage {
  return key.spec === 'HMAC_256' ? 'GENERATE_VERIFY_MAC' : 'ENCRYPT_DECRYPT';
}

export function stateOf(key: Key): 'Enabled' | 'Disabled' | 'PendingDeletion' {
  if (key.deletionAt !== undefined) return 'PendingDeletion';
  return key.enabled ? 'Enabled' : 'Disabled';
}

/** Throws unless the key may be used for `operation` (for messages, for example `Encrypt`). */
export function requireUsable(key: Key, usage: KeyUsage, operation: string): void {
  requireNotPendingDeletion(key);
  if (!key.enabled) throw kmsError.disabled(key.arn);
  if (usageOf(key) !== usage) throw kmsError.invalidUsage(key.arn, usageOf(key), operation);
}

/** Throws `KMSInvalidStateException` when the key waits for its deletion. */
export function requireNotPendingDeletion(key: Key): void {
  if (key.deletionAt !== undefined) throw kmsError.pendingDeletion(key.arn);
}

/** The key as `DescribeKey` gives it. */
export function keyMetadata(key: Key, accountId: string): Record<string, unknown> {
  const mac = key.spec === 'HMAC_256';
  return {
    AWSAccountId: accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdAt),
    Enabled: stateOf(key) === 'Enabled',
    Description: key.description,
    KeyUsage: usageOf(key),
    KeyState: stateOf(key),
    ...(key.deletionAt === undefined ? {} : { DeletionDate: new Date(key.deletionAt) }),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...(mac ? { MacAlgorithms: ['HMAC_SHA_256'] } : { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] }),
    MultiRegion: key.multiRegion,
    ...(key.multiRegion && {
      MultiRegionConfiguration: {
        MultiRegionKeyType: regionTypeOf(key),
        PrimaryKey: regionOf(key.primaryArn ?? key.arn),
        ReplicaKeys: (key.primaryArn === undefined ? key.replicaArns : [key.arn]).map(regionOf),
      },
    }),
  };
}

const regionTypeOf = (key: Key): 'PRIMARY' | 'REPLICA' =>
  key.primaryArn === undefined ? 'PRIMARY' : 'REPLICA';

const regionOf = (arn: string) => ({ Arn: arn, Region: arn.split(':')[3] });

/** Condition keys of a key for IAM. */
export function keyContext(key: Key): Record<string, string> {
  return {
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:KeySpec': key.spec,
    'kms:KeyUsage': usageOf(key),
    'kms:MultiRegion': String(key.multiRegion),
    ...(key.multiRegion ? { 'kms:MultiRegionKeyType': regionTypeOf(key) } : {}),
  };
}
