import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { blob } from '../aws/input.ts';
import { type Authorization, AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import type { KmsService } from '../kms/kms-service.ts';
import { addVersion, findVersion, type Secret } from './secret.ts';
import type { SecretStore } from './secret-store.ts';

export type SecretKeys = Pick<KmsService, 'useBy'>;

const id = z.string().min(1).max(2048);
const token = z.string().min(32).max(64);
const secretString = z.string().min(1).max(65_536);
const secretBinary = blob.refine(
  ({ length }) => length >= 1 && length <= 65_536,
  'must have 1 to 65536 bytes',
);
const day = 24 * 3600_000;

const getSchema = z.strictObject({
  SecretId: id,
  VersionId: token.optional(),
  VersionStage: z.string().min(1).max(256).optional(),
});
const putSchema = z
  .strictObject({
    SecretId: id,
    ClientRequestToken: token.optional(),
    SecretString: secretString.optional(),
    SecretBinary: secretBinary.optional(),
    VersionStages: z.array(z.string().min(1).max(256)).min(1).max(20).optional(),
  })
  .refine((input) => (input.SecretString === undefined) !== (input.SecretBinary === undefined), {
    error: 'needs either SecretString or SecretBinary',
  });
const updateSchema = z.strictObject({
  SecretId: id,
  ClientRequestToken: token.optional(),
  Description: z.string().max(2048).optional(),
  KmsKeyId: id.optional(),
  SecretString: secretString.optional(),
  SecretBinary: secretBinary.optional(),
});
const listSchema = z.strictObject({
  MaxResults: z.int().min(1).max(100).default(100),
  NextToken: z.string().optional(),
  SortOrder: z.enum(['asc', 'desc']).default('desc'),
  Filters: z
    .array(
      z.strictObject({ Key: z.enum(['name', 'description']), Values: z.array(z.string()).min(1).max(10) }),
    )
    .default([]),
});

/** The operations on secrets, with the keys their values are sealed with. */
export function secretOperations(store: SecretStore, keys: SecretKeys): Record<string, Operation> {
  const authorize = (
    secret: Secret,
    action: string,
    context: Record<string, string> = {},
    keyActions: readonly ('kms:Decrypt' | 'kms:GenerateDataKey')[] = [],
  ): Authorization[] => [
    {
      action: `secretsmanager:${action}`,
      resource: secret.arn,
      context: { 'secretsmanager:SecretId': secret.arn, ...context },
    },
    ...(secret.kmsKeyId === undefined ? [] : keyActions).map((keyAction) =>
      keys.useBy('secretsmanager', secret.kmsKeyId ?? '', keyAction, { SecretARN: secret.arn }),
    ),
  ];

  return {
    GetSecretValue: defineOperation('secretsmanager:GetSecretValue', getSchema, {
      authorize: ({ SecretId, VersionId, VersionStage }) => {
        const context = {
          ...(VersionId === undefined ? {} : { 'secretsmanager:VersionId': VersionId }),
          'secretsmanager:VersionStage': VersionStage ?? 'AWSCURRENT',
        };
        return authorize(store.find(SecretId), 'GetSecretValue', context, ['kms:Decrypt']);
      },
      run: async ({ SecretId, VersionId, VersionStage }) => {
        const secret = store.find(SecretId);
        const version = findVersion(secret, VersionId, VersionStage);
        const today = Math.floor(Date.now() / day) * day;
        if (secret.accessedAt !== today) {
          secret.accessedAt = today;
          await store.save();
        }
        return {
          ...identity(secret),
          VersionId: version.id,
          VersionStages: version.stages,
          CreatedDate: new Date(version.createdAt),
          ...(version.string === undefined
            ? { SecretBinary: version.binary }
            : { SecretString: version.string }),
        };
      },
    }),
    PutSecretValue: defineOperation('secretsmanager:PutSecretValue', putSchema, {
      authorize: ({ SecretId }) =>
        authorize(store.find(SecretId), 'PutSecretValue', {}, ['kms:GenerateDataKey', 'kms:Decrypt']),
      run: async ({ SecretId, ClientRequestToken = randomUUID(), VersionStages, ...value }) => {
        const secret = store.find(SecretId);
        const version = addVersion(secret, ClientRequestToken, storedValue(value), VersionStages);
        await store.save();
        return { ...identity(secret), VersionId: version.id, VersionStages: version.stages };
      },
    }),
    UpdateSecret: defineOperation('secretsmanager:UpdateSecret', updateSchema, {
      authorize: ({ SecretId, SecretString, SecretBinary, KmsKeyId }) => {
        const sealed = SecretString !== undefined || SecretBinary !== undefined || KmsKeyId !== undefined;
        const keyActions = sealed ? (['kms:GenerateDataKey', 'kms:Decrypt'] as const) : [];
        return authorize(store.find(SecretId), 'UpdateSecret', {}, keyActions);
      },
      run: async ({ SecretId, ClientRequestToken = randomUUID(), Description, KmsKeyId, ...value }) => {
        const secret = store.find(SecretId);
        if (value.SecretString !== undefined && value.SecretBinary !== undefined) {
          throw new AwsError(
            'InvalidParameterException',
            'Give either SecretString or SecretBinary, not both.',
          );
        }
        const given = value.SecretString !== undefined || value.SecretBinary !== undefined;
        const version = given ? addVersion(secret, ClientRequestToken, storedValue(value)) : undefined;
        if (Description !== undefined) secret.description = Description;
        if (KmsKeyId !== undefined) secret.kmsKeyId = KmsKeyId;
        secret.changedAt = Date.now();
        await store.save();
        return { ...identity(secret), ...(version && { VersionId: version.id }) };
      },
    }),
    DescribeSecret: defineOperation('secretsmanager:DescribeSecret', z.strictObject({ SecretId: id }), {
      authorize: ({ SecretId }) => authorize(store.find(SecretId), 'DescribeSecret'),
      run: ({ SecretId }) => {
        const secret = store.find(SecretId);
        return { ...description(secret), VersionIdsToStages: stages(secret) };
      },
    }),
    ListSecrets: defineOperation('secretsmanager:ListSecrets', listSchema, {
      authorize: () => [{ action: 'secretsmanager:ListSecrets', resource: '*' }],
      run: ({ MaxResults, NextToken, SortOrder, Filters }) => {
        const matching = store
          .secrets()
          .filter((secret) =>
            Filters.every(({ Key, Values }) => Values.some((value) => startsWith(secret[Key], value))),
          );
        const { items, next } = page(SortOrder === 'asc' ? matching : matching.toReversed(), {
          keyOf: ({ arn }) => arn,
          limit: MaxResults,
          token: NextToken,
          invalidToken: 'InvalidNextTokenException',
        });
        return {
          SecretList: items.map((secret) => ({
            ...description(secret),
            SecretVersionsToStages: stages(secret),
          })),
          NextToken: next,
        };
      },
    }),
  };
}

/** A filter's value is a prefix; `!` in front of it means the others. */
function startsWith(text: string, value: string): boolean {
  return value.startsWith('!') ? !text.startsWith(value.slice(1)) : text.startsWith(value);
}

function storedValue(value: { SecretString?: string | undefined; SecretBinary?: Uint8Array | undefined }) {
  return value.SecretBinary === undefined
    ? { string: value.SecretString }
    : { binary: Buffer.from(value.SecretBinary).toString('base64') };
}

function identity(secret: Secret) {
  return { ARN: secret.arn, Name: secret.name };
}

function stages(secret: Secret): Record<string, string[]> {
  return Object.fromEntries(
    secret.versions
      .filter((version) => version.stages.length > 0)
      .map((version) => [version.id, version.stages]),
  );
}

function description(secret: Secret): Record<string, unknown> {
  return {
    ...identity(secret),
    ...(secret.description && { Description: secret.description }),
    KmsKeyId: secret.kmsKeyId,
    CreatedDate: new Date(secret.createdAt),
    LastChangedDate: new Date(secret.changedAt),
    ...(secret.accessedAt && { LastAccessedDate: new Date(secret.accessedAt) }),
  };
}
