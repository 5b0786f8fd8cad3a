import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { blob } from '../aws/input.ts';
import type { Operation } from '../aws/operation.ts';
import { decryptUnder, encryptUnder, keyIdOf } from './ciphertext.ts';
import { type Key, requireUsable } from './key.ts';
import type { KeyStore } from './key-store.ts';
import { kmsError } from './kms-error.ts';
import {
  dryRunSchema,
  encryptionContextSchema,
  keyAuthorization,
  keyIdSchema,
  keyOperation,
} from './operations.ts';

const algorithm = z.literal('SYMMETRIC_DEFAULT').default('SYMMETRIC_DEFAULT');
const bytes = (maximum: number) =>
  blob.refine(({ length }) => length >= 1 && length <= maximum, `must have 1 to ${maximum} bytes`);
const ciphertext = bytes(6144);

const encryptSchema = z.strictObject({
  KeyId: keyIdSchema,
  Plaintext: bytes(4096),
  EncryptionContext: encryptionContextSchema,
  EncryptionAlgorithm: algorithm,
  DryRun: dryRunSchema,
});

const decryptSchema = z.strictObject({
  CiphertextBlob: ciphertext,
  KeyId: keyIdSchema.optional(),
  EncryptionContext: encryptionContextSchema,
  EncryptionAlgorithm: algorithm,
  DryRun: dryRunSchema,
});

const dataKeySchema = z
  .strictObject({
    KeyId: keyIdSchema,
    KeySpec: z.enum(['AES_256', 'AES_128']).optional(),
    NumberOfBytes: z.int().min(1).max(1024).optional(),
    EncryptionContext: encryptionContextSchema,
    DryRun: dryRunSchema,
  })
  .refine(({ KeySpec, NumberOfBytes }) => (KeySpec === undefined) !== (NumberOfBytes === undefined), {
    error: 'needs either KeySpec or NumberOfBytes',
  });

const reEncryptSchema = z.strictObject({
  CiphertextBlob: ciphertext,
  SourceKeyId: keyIdSchema.optional(),
  SourceEncryptionContext: encryptionContextSchema,
  SourceEncryptionAlgorithm: algorithm,
  DestinationKeyId: keyIdSchema,
  DestinationEncryptionContext: encryptionContextSchema,
  DestinationEncryptionAlgorithm: algorithm,
  DryRun: dryRunSchema,
});

/** Operations with symmetric keys, and random bytes. */
export function encryptionOperations(store: KeyStore): Record<string, Operation> {
  /** The key a ciphertext was made with; the caller may insist on one. */
  const keyOf = (blob: Uint8Array, reference: string | undefined): Key => {
    const named = reference === undefined ? undefined : store.find(reference);
    const id = keyIdOf(blob);
    const made = store.keys().find((key) => key.keyId === id);
    if (!made) throw kmsError.invalidCiphertext();
    if (named && named !== made) throw kmsError.incorrectKey();
    return made;
  };
  const dataKey = (operation: string, key: Key, input: z.infer<typeof dataKeySchema>) => {
    requireUsable(key, 'ENCRYPT_DECRYPT', operation);
    const plaintext = randomBytes(input.NumberOfBytes ?? (input.KeySpec === 'AES_128' ? 16 : 32));
    const blob = encryptUnder(key, plaintext, input.EncryptionContext);
    return { plaintext, result: { CiphertextBlob: blob, KeyId: key.arn } };
  };

  return {
    Encrypt: keyOperation(store, 'Encrypt', encryptSchema, (key, input) => {
      requireUsable(key, 'ENCRYPT_DECRYPT', 'Encrypt');
      return {
        CiphertextBlob: encryptUnder(key, input.Plaintext, input.EncryptionContext),
        KeyId: key.arn,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    }),
    Decrypt: defineOperation('kms:Decrypt', decryptSchema, {
      authorize: (input) => {
        const key = keyOf(input.CiphertextBlob, input.KeyId);
        return [keyAuthorization(store, 'kms:Decrypt', key, input.KeyId ?? '', input.EncryptionContext)];
      },
      run: (input) => {
        const key = keyOf(input.CiphertextBlob, input.KeyId);
        if (input.DryRun) throw kmsError.dryRun();
        requireUsable(key, 'ENCRYPT_DECRYPT', 'Decrypt');
        const plaintext = decryptUnder(key, input.CiphertextBlob, input.EncryptionContext);
        return { Plaintext: plaintext, KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
      },
    }),
    GenerateDataKey: keyOperation(store, 'GenerateDataKey', dataKeySchema, (key, input) => {
      const { plaintext, result } = dataKey('GenerateDataKey', key, input);
      return { ...result, Plaintext: plaintext };
    }),
    GenerateDataKeyWithoutPlaintext: keyOperation(
      store,
      'GenerateDataKeyWithoutPlaintext',
      dataKeySchema,
      (key, input) => dataKey('GenerateDataKeyWithoutPlaintext', key, input).result,
    ),
    ReEncrypt: defineOperation('kms:ReEncrypt', reEncryptSchema, {
      authorize: (input) => {
        const source = keyOf(input.CiphertextBlob, input.SourceKeyId);
        const target = store.find(input.DestinationKeyId);
        const { SourceEncryptionContext, DestinationEncryptionContext, DestinationKeyId } = input;
        return [
          keyAuthorization(
            store,
            'kms:ReEncryptFrom',
            source,
            input.SourceKeyId ?? '',
            SourceEncryptionContext,
          ),
          keyAuthorization(store, 'kms:ReEncryptTo', target, DestinationKeyId, DestinationEncryptionContext),
        ];
      },
      run: (input) => {
        const source = keyOf(input.CiphertextBlob, input.SourceKeyId);
        const target = store.find(input.DestinationKeyId);
        if (input.DryRun) throw kmsError.dryRun();
        requireUsable(source, 'ENCRYPT_DECRYPT', 'ReEncrypt');
        requireUsable(target, 'ENCRYPT_DECRYPT', 'ReEncrypt');
        const plaintext = decryptUnder(source, input.CiphertextBlob, input.SourceEncryptionContext);
        return {
          CiphertextBlob: encryptUnder(target, plaintext, input.DestinationEncryptionContext),
          SourceKeyId: source.arn,
          KeyId: target.arn,
          SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
          DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        };
      },
    }),
    GenerateRandom: defineOperation(
      'kms:GenerateRandom',
      z.strictObject({ NumberOfBytes: z.int().min(1).max(1024) }),
      {
        authorize: () => [{ action: 'kms:GenerateRandom', resource: '*' }],
        run: ({ NumberOfBytes }) => ({ Plaintext: randomBytes(NumberOfBytes) }),
      },
    ),
  };
}
