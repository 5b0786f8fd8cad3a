import * as z from 'zod';
import { AwsError, type Operation } from '../aws/operation.ts';
import { type Key, keyMetadata } from './key.ts';
import { defaultPolicy, type KeyStore } from './key-store.ts';
import { kmsError } from './kms-error.ts';
import { keyIdSchema, keyOperation } from './operations.ts';

/** Makes a replica of a key in its own region. */
export type Replicator = (primary: Key, settings: Pick<Key, 'description' | 'policy'>) => Promise<Key>;

const replicateSchema = z.strictObject({
  KeyId: keyIdSchema,
  ReplicaRegion: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  Policy: z.string().max(131_072).optional(),
  Description: z.string().max(8_192).default(''),
});

/** `ReplicateKey`; `regions` gives the KMS of another region, where one is emulated. */
export function replicaOperations(
  store: KeyStore,
  regions: (region: string) => Replicator | undefined,
): Record<string, Operation> {
  const operation = keyOperation(store, 'ReplicateKey', replicateSchema, () => undefined);
  return {
    ReplicateKey: {
      ...operation,
      run: async (input, { accountId }) => {
        const { KeyId, ReplicaRegion, Policy, Description } = replicateSchema.parse(input);
        const key = store.find(KeyId);
        if (!key.multiRegion || key.primaryArn !== undefined) {
          throw kmsError.unsupported(`${key.arn} is not a multi-Region primary key.`);
        }
        const replicate = regions(ReplicaRegion);
        if (replicate === undefined) {
          throw new AwsError('UnsupportedOperationException', `No region ${ReplicaRegion} is emulated here.`);
        }
        const policy = Policy === undefined ? defaultPolicy(accountId) : parsePolicy(Policy);
        const replica = await replicate(key, { description: Description, policy });
        key.replicaArns.push(replica.arn);
        await store.save();
        return {
          ReplicaKeyMetadata: keyMetadata(replica, accountId),
          ReplicaPolicy: JSON.stringify(policy),
          ReplicaTags: [],
        };
      },
    },
  };
}

function parsePolicy(text: string): Key['policy'] {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    throw new AwsError('MalformedPolicyDocumentException', 'The policy is not JSON.');
  }
}
