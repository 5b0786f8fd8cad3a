import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import type { Authorization, Operation } from '../aws/operation.ts';
import type { EncryptionContext } from './ciphertext.ts';
import { type Key, keyContext } from './key.ts';
import type { KeyStore } from './key-store.ts';
import { kmsError } from './kms-error.ts';

export const keyIdSchema = z.string().min(1).max(2048);
export const encryptionContextSchema = z.record(z.string(), z.string()).default({});
export const dryRunSchema = z.boolean().optional();

/** An operation on one key, named by the input's `KeyId`. */
export function keyOperation<
  T extends { KeyId: string; EncryptionContext?: EncryptionContext; DryRun?: boolean | undefined },
>(store: KeyStore, name: string, schema: z.ZodType<T>, run: (key: Key, input: T) => unknown): Operation {
  return defineOperation(`kms:${name}`, schema, {
    authorize: (input) => {
      const key = store.find(input.KeyId);
      return [keyAuthorization(store, `kms:${name}`, key, input.KeyId, input.EncryptionContext)];
    },
    run: (input) => {
      const key = store.find(input.KeyId);
      if (input.DryRun) throw kmsError.dryRun();
      return run(key, input);
    },
  });
}

/** What IAM has to allow for one use of a key. `reference` is how the caller named the key. */
export function keyAuthorization(
  store: KeyStore,
  action: string,
  key: Key,
  reference: string,
  encryptionContext: EncryptionContext = {},
): Authorization {
  const aliases = store.aliasesOf(key);
  const requested = aliases.find((alias) => reference === alias || reference.endsWith(`:${alias}`));
  const names = Object.keys(encryptionContext);
  const pairs = Object.entries(encryptionContext).map(([name, value]) => [
    `kms:EncryptionContext:${name}`,
    value,
  ]);
  return {
    action,
    resource: key.arn,
    context: {
      ...keyContext(key),
      ...Object.fromEntries(pairs),
      ...(names.length > 0 ? { 'kms:EncryptionContextKeys': names } : {}),
      ...(aliases.length > 0 ? { 'kms:ResourceAliases': aliases } : {}),
      ...(requested === undefined ? {} : { 'kms:RequestAlias': requested }),
    },
  };
}
