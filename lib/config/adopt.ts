import * as z from 'zod';

const keyArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z]{2}(-[a-z]+)+-\d:\d{12}:key\/mrk-[0-9a-f]{32}$/,
    'is the ARN of a multi-Region key, like arn:aws:kms:eu-west-1:123456789012:key/mrk-… with 32 hexadecimal digits',
  );

/** The copies of a deployment that was lost, and the replicas of its keys. */
export const adoptSchema = z
  .strictObject({
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is the name of a bucket')
      .describe('The bucket that its backups were copied to: the vault in its standby region.'),
    encryptionKeyArn: keyArn.describe(
      'The replica beside it of the key that wraps the data keys of its backups.',
    ),
    hmacKeyArn: keyArn.describe('The replica beside it of the key that authenticates its manifests.'),
  })
  .refine(({ encryptionKeyArn, hmacKeyArn }) => regionOf(encryptionKeyArn) === regionOf(hmacKeyArn), {
    path: ['hmacKeyArn'],
    message: 'is in another region than encryptionKeyArn; both are where the bucket is',
  });

const regionOf = (arn: string): string | undefined => arn.split(':')[3];
