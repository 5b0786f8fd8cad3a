import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import type { AdminKeys } from '../access/keys/admin-keys.ts';
import { generateKey, hashKey, idOfKey } from '../access/keys/api-keys.ts';
import type { KeyStore } from '../access/keys/key-store.ts';

const adminSecret = z.object({ apiKey: z.string().refine((key) => idOfKey(key) !== undefined) });

export interface AdminKeyOptions {
  readonly secrets: SecretsManagerClient;
  readonly secretArn: string;
  readonly store: Pick<KeyStore, 'create'>;
  readonly admins: Pick<AdminKeys, 'join'>;
  readonly pepper: () => Promise<string>;
  readonly now: Date;
}

/**
 * Creates the first admin key and keeps it in its secret, unless the secret holds a key already. A key that
 * somebody has revoked or removed since is not brought back.
 *
 * @returns whether a key was created.
 */
export async function ensureAdminKey(options: AdminKeyOptions): Promise<boolean> {
  const { secrets, secretArn, store, admins, pepper, now } = options;
  if (await holdsKey(secrets, secretArn)) return false;
  const { id, key } = generateKey();
  await admins.join(id);
  // The record first: a run that ends here leaves a key that nobody knows, not a key that nobody accepts.
  const created = await store.create({
    id,
    hash: hashKey(await pepper(), key),
    name: 'First admin key',
    scopes: ['admin'],
    tier: 'enterprise',
    state: 'active',
    createdAt: now.toISOString(),
    createdBy: 'bootstrap',
  });
  if (!created) throw new Error(`An API key with the id ${id} exists already`);
  await secrets.send(
    new PutSecretValueCommand({ SecretId: secretArn, SecretString: JSON.stringify({ apiKey: key }) }),
  );
  return true;
}

async function holdsKey(secrets: SecretsManagerClient, secretArn: string): Promise<boolean> {
  try {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return adminSecret.safeParse(fromJson(SecretString ?? '')).success;
  } catch (error) {
    // So a secret answers that has never been given a value.
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
    throw error;
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
