import * as z from 'zod';

/** Name space of the wrapped data keys that the passphrase opens, in the messages of the AWS Encryption SDK. */
export const escrowNamespace = 'mainstay-escrow';

/** The only purpose for which the policy of the sealing key lets it be used directly. */
export const escrowPurpose = 'escrow';

/** Everything about the escrow lies below this in the bucket of backups. */
export const escrowPrefix = 'escrow/';

/** Names a wrapping key without telling anything of it. */
export const fingerprintSchema = z.string().regex(/^[0-9a-f]{32}$/);

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);

/** How a wrapping key comes of a passphrase. No secret: whoever has the passphrase needs it. */
export const escrowParametersSchema = z.strictObject({
  fingerprint: fingerprintSchema,
  /** Fixed, so that nobody who can write the store makes a function work for hours or hardly at all. */
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    n: z.literal(131_072),
    r: z.literal(8),
    p: z.literal(1),
    /** 16 bytes. */
    salt: base64.length(24),
  }),
});
export type EscrowParameters = z.output<typeof escrowParametersSchema>;

/** A wrapping key as it is kept: sealed by a KMS key that is not the one of backups. */
export const escrowRecordSchema = z.strictObject({
  ...escrowParametersSchema.shape,
  /** Ciphertext of KMS. */
  sealedKey: base64.max(4_096),
  createdAt: z.iso.datetime(),
});
export type EscrowRecord = z.output<typeof escrowRecordSchema>;

/** A wrapping key, opened. Never stored, logged or passed on like this. */
export interface EscrowKey extends EscrowParameters {
  /** 32 bytes. */
  readonly wrappingKey: Buffer;
}

/** Where wrapping keys come from. */
export interface EscrowKeys {
  /** The one that new messages are wrapped by; nothing while there is no passphrase. */
  current(): Promise<EscrowKey | undefined>;
  /**
   * The one of that fingerprint.
   * @throws EscrowError when it cannot be had, DependencyError.
   */
  key(fingerprint: string): Promise<EscrowKey>;
}
