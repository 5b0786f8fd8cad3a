import { AwsError } from '../aws/operation.ts';

/** KMS's errors, with its own codes and words. */
export const kmsError = {
  notFound: (what: string) => new AwsError('NotFoundException', `${what} is not found.`),
  disabled: (arn: string) => new AwsError('DisabledException', `${arn} is disabled.`),
  pendingDeletion: (arn: string) => new AwsError('KMSInvalidStateException', `${arn} is pending deletion.`),
  /** KMS says no more than the code when a ciphertext does not decrypt. */
  invalidCiphertext: () => new AwsError('InvalidCiphertextException', ''),
  incorrectKey: () =>
    new AwsError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    ),
  invalidMac: () => new AwsError('KMSInvalidMacException', ''),
  invalidUsage: (arn: string, usage: string, operation: string) =>
    new AwsError(
      'InvalidKeyUsageException',
      `${arn} key usage is ${usage} which is not valid for ${operation}.`,
    ),
  alreadyExists: (keyId: string) =>
    new AwsError('AlreadyExistsException', `The region has a key ${keyId} already.`),
  unsupported: (message: string) => new AwsError('UnsupportedOperationException', message),
  dryRun: () =>
    new AwsError('DryRunOperationException', 'The request would have succeeded, but DryRun is set.'),
};
