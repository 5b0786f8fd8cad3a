import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { blob } from '../aws/input.ts';
import type { Authorization, Operation } from '../aws/operation.ts';
import { macUnder } from './ciphertext.ts';
import { requireUsable } from './key.ts';
import type { KeyStore } from './key-store.ts';
import { kmsError } from './kms-error.ts';
import { dryRunSchema, keyIdSchema, keyOperation } from './operations.ts';

const macSchema = z.strictObject({
  KeyId: keyIdSchema,
  MacAlgorithm: z.literal('HMAC_SHA_256'),
  Message: blob.refine(({ length }) => length >= 1 && length <= 4096, 'must have 1 to 4096 bytes'),
  DryRun: dryRunSchema,
});
const verifySchema = macSchema.extend({ Mac: blob.refine(({ length }) => length >= 1 && length <= 6144) });

/** Operations with HMAC keys. */
export function macOperations(store: KeyStore): Record<string, Operation> {
  const generate = keyOperation(store, 'GenerateMac', macSchema, (key, input) => {
    requireUsable(key, 'GENERATE_VERIFY_MAC', 'GenerateMac');
    return { KeyId: key.arn, MacAlgorithm: input.MacAlgorithm, Mac: macUnder(key, input.Message) };
  });
  const verify = keyOperation(store, 'VerifyMac', verifySchema, (key, input) => {
    requireUsable(key, 'GENERATE_VERIFY_MAC', 'VerifyMac');
    const expected = macUnder(key, input.Message);
    if (input.Mac.length !== expected.length || !timingSafeEqual(input.Mac, expected))
      throw kmsError.invalidMac();
    return { KeyId: key.arn, MacAlgorithm: input.MacAlgorithm, MacValid: true };
  });
  return { GenerateMac: withAlgorithm(generate), VerifyMac: withAlgorithm(verify) };
}

function withAlgorithm(operation: Operation): Operation {
  const mark = (entry: Authorization) => ({
    ...entry,
    context: { ...entry.context, 'kms:MacAlgorithm': 'HMAC_SHA_256' },
  });
  return {
    ...operation,
    authorize: async (input, context) => (await operation.authorize(input, context)).map(mark),
  };
}
