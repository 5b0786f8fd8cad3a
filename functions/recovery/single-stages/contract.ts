import * as z from 'zod';
import { BACKUPS_BUCKET, ENCRYPTION_KEY_ARN, HMAC_KEY_ARN, RECOVERY_TABLE } from '../environment.ts';
import { operationSchema } from '../model.ts';
import { stageObjectEventSchema, stageObjectResultSchema } from './events.ts';
import { compressBodySchema, encryptBodySchema, stageBodySchema } from './model.ts';

const responses = {
  202: {
    description: 'Accepted.',
    schema: operationSchema,
    headers: { Location: 'Where to follow it.' },
  },
  404: { description: 'No such backup.' },
  409: { description: 'The backup is not complete.' },
  422: { description: 'A key that single stages do not read; `errors` names the field.' },
};
const encryptResponses = {
  ...responses,
  409: {
    description:
      'The backup is not complete, is being re-encrypted already (`Location`), refers to objects of others (`references`), or others refer to its objects (`dependents`).',
  },
};
const common = { method: 'POST', scope: 'admin', once: {} } as const;
const kept =
  'The result lies below `scratch/`, encrypted at rest, for a day, with a `.sha256` file beside it; it is never in an answer. Objects up to 16 GiB.';

/** The single stages of the pipeline, on one stored object. */
export const stageRoutes = {
  encrypt: {
    ...common,
    path: '/api/disaster-recovery/encryption/encrypt',
    summary: 'Encrypt a stored object, or a backup anew',
    description: `An object: as one message of the AWS Encryption SDK. ${kept} With \`backupId\` alone: every object of the backup is stored anew under the present KMS key and escrow passphrase, and read back; then its manifest is replaced, and the versions from before are removed, unless Object Lock holds them. The backup can be restored all the time.`,
    body: encryptBodySchema,
    responses: encryptResponses,
  },
  decrypt: {
    ...common,
    path: '/api/disaster-recovery/encryption/decrypt',
    summary: 'Decrypt a stored object',
    description: `A message under the key of backups; of a backup’s object, hash and context are checked. ${kept}`,
    body: stageBodySchema,
    responses,
  },
  compress: {
    ...common,
    path: '/api/disaster-recovery/encryption/compress',
    summary: 'Compress a stored object',
    description: kept,
    body: compressBodySchema,
    responses,
  },
} as const;

export const stageFunctions = {
  /** Outside the VPC: one object, in one invocation. 1769 MB is one CPU. */
  'stage-object': {
    environment: z.object({ RECOVERY_TABLE, BACKUPS_BUCKET, ENCRYPTION_KEY_ARN, HMAC_KEY_ARN }),
    event: stageObjectEventSchema,
    result: stageObjectResultSchema,
  },
} as const;
