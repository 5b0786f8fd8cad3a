import * as z from 'zod';

/**
 * What opens the messages of a backup and authenticates its manifest. `kms`: the deployment's keys. `escrow`: the
 * passphrase; neither key is used. `replica`: the replicas of both in the standby region, on the copies there.
 */
export const keySources = ['kms', 'escrow', 'replica'] as const;
export type KeySource = (typeof keySources)[number];

/**
 * Where an operation reads a backup from: by these keys, or from the `vault` of another deployment, by the replicas of that one's
 * keys. Nobody asks for the latter by name: it is what adopting a backup is.
 */
export const readingSources = [...keySources, 'vault'] as const;
export type ReadingSource = (typeof readingSources)[number];

export const readingSourceSchema = z.enum(readingSources).default('kms').meta({
  title: 'Keys of an operation',
  description:
    'What opens the backup. `kms`, `escrow` and `replica`: as it was asked for. `vault`: of an adoption, the replicas that `backup.adopt` names, on the copies there.',
});

/** What a restore can be asked to use: its functions in the network reach KMS of their own region alone. */
export const restoreKeySchema = z.enum(['kms', 'escrow']).default('kms').meta({
  title: 'Keys of a restore',
  description:
    'What opens the backup. `kms`: the keys of the deployment. `escrow`: the escrow passphrase, without them.',
});

export const keySourceSchema = z.enum(keySources).default('kms').meta({
  title: 'Keys',
  description:
    'What opens the backup. `kms`: the keys of the deployment. `escrow`: the escrow passphrase, without them. `replica`: the replicas of the keys in the standby region, on the copies of the backup there.',
});
