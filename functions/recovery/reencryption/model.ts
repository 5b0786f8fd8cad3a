import * as z from 'zod';

const count = z.number().int().min(0);

export const reencryptionResultSchema = z
  .strictObject({
    objects: count.meta({ description: 'Objects of the backup, each stored anew.' }),
    storedBytes: count.meta({ description: 'Of these.' }),
    keyArn: z.string().meta({ description: 'The KMS key that wraps their data keys now.' }),
    escrow: z.string().nullable().meta({
      description: 'Fingerprint of the escrow passphrase that opens all of them; `null`: none does.',
    }),
    removed: count.meta({ description: 'Versions from before that were removed.' }),
    locked: count.meta({ description: 'Versions from before that Object Lock holds.' }),
    waiting: z.boolean().meta({
      description:
        'Whether versions from before stay until a restore, a drill or a verification that reads them has ended. They are removed within the hour after that.',
    }),
    oldKeysNeededUntil: z.iso.datetime().nullable().meta({
      description:
        'When the last lock on versions from before ends, which the earlier keys open. `null`: none is locked.',
    }),
    durationMs: count,
  })
  .meta({ title: 'Result of a re-encryption' });
export type ReencryptionResult = z.output<typeof reencryptionResultSchema>;
