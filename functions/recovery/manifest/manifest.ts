import canonicalize from 'canonicalize';
import * as z from 'zod';
import { snapshotOriginSchema } from '../catalog/snapshot-store.ts';
import { shardDescriptionSchema, tableDescriptionSchema } from '../chunks/describe-shard.ts';
import { ManifestError } from '../errors.ts';
import { sha256Of } from '../hash.ts';
import { backupIdSchema, operationIdSchema, shardNameSchema } from '../ids.ts';
import { importSectionSchema } from '../import/manifest-section.ts';
import { escrowSectionSchema } from '../keys/escrow-section.ts';
import { tenantSchema } from '../tenants/model.ts';
import { storedObjectSchema } from '../workflow.ts';
import { configurationSectionSchema } from './configuration-section.ts';
import { filesSectionSchema } from './files-section.ts';

const count = z.number().int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const manifestTableSchema = tableDescriptionSchema.extend({
  rows: count,
  /** Of all rows, whatever object they are in; see `digest.ts` and the page on restoring without Mainstay. */
  digest,
});

export const manifestShardSchema = z.strictObject({
  name: shardNameSchema,
  database: z.string(),
  clusterIdentifier: z.string(),
  epoch: z.number().int(),
  /** `DbClusterResourceId`. */
  resourceId: z.string().optional(),
  origin: snapshotOriginSchema,
  /** The backup whose objects stand for what has not changed since, and the snapshot that it was of. */
  parent: z.strictObject({ backupId: backupIdSchema, origin: snapshotOriginSchema }).optional(),
  ...shardDescriptionSchema.omit({ tables: true }).shape,
  tables: z.array(manifestTableSchema),
  preData: storedObjectSchema,
  postData: storedObjectSchema,
  sequences: storedObjectSchema,
  /** Objects of rows, in the order of tables and blocks. */
  chunks: z.array(storedObjectSchema),
});
export type ManifestShard = z.output<typeof manifestShardSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal('mainstay.backup'),
  formatVersion: z.literal(1),
  backupId: backupIdSchema,
  type: z.enum(['full', 'incremental', 'import']),
  createdAt: z.iso.datetime(),
  committedAt: z.iso.datetime(),
  /** Of a backup whose objects were re-encrypted: when, by which operation, and the manifest before. */
  reencrypted: z
    .strictObject({
      at: z.iso.datetime(),
      operationId: operationIdSchema,
      previous: z.strictObject({ versionId: z.string().nullable(), sha256: digest }),
    })
    .optional(),
  /** Of a backup that another deployment has taken: when and by which operation it was adopted, and what it was before. */
  adopted: z
    .strictObject({
      at: z.iso.datetime(),
      operationId: operationIdSchema,
      from: z.strictObject({ backupId: backupIdSchema, versionId: z.string().nullable(), sha256: digest }),
    })
    .optional(),
  /** How to read the objects: each is compressed, then encrypted. */
  encoding: z.strictObject({
    rows: z.enum(['PostgreSQL COPY text', 'none']),
    encryption: z.literal('AWS Encryption SDK message, ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY'),
    keyArn: z.string(),
    settings: z.record(z.string(), z.string()),
  }),
  tools: z.record(z.string(), z.string()),
  /** The one tenant that it is of; absent: the whole platform. */
  tenant: tenantSchema.optional(),
  /** None in an import. */
  shards: z.array(manifestShardSchema),
  /** Of an import: the dump. */
  import: importSectionSchema.optional(),
  files: filesSectionSchema.optional(),
  configuration: configurationSectionSchema.optional(),
  /** Milliseconds between the first and the last shard's instant. */
  skewMs: count,
  /** Of all objects that are named. */
  totals: z.strictObject({
    objects: count,
    rows: count,
    plainBytes: count,
    storedBytes: count,
    /** Those among them that earlier backups have stored. */
    referred: z.strictObject({ objects: count, storedBytes: count }).optional(),
  }),
});
export type Manifest = z.output<typeof manifestSchema>;

/** Bytes that a backup has stored itself. */
export const ownBytes = ({ totals }: Pick<Manifest, 'totals'>): number =>
  totals.storedBytes - (totals.referred?.storedBytes ?? 0);

/** The stored form: the manifest, and what proves that Mainstay wrote it. */
const envelopeSchema = z.strictObject({
  manifest: manifestSchema,
  mac: z.strictObject({
    algorithm: z.literal('HMAC_SHA_256'),
    keyArn: z.string(),
    /** Base64, over `macMessage`. */
    value: z.string(),
  }),
  /** What authenticates the manifest and opens its objects without KMS, for whoever has the passphrase. */
  escrow: escrowSectionSchema.optional(),
});
export type ManifestEnvelope = z.output<typeof envelopeSchema>;

/** JSON in one canonical form (RFC 8785): equal values have equal bytes. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new ManifestError('The value has no JSON form.');
  return text;
}

/**
 * What the MAC is computed over: a label that no other use of the key shares, and the SHA-256 of the canonical
 * manifest, because KMS takes at most 4 096 bytes.
 */
export const macMessage = (manifest: Manifest): Buffer =>
  Buffer.from(`mainstay:manifest:v1\n${sha256Of(canonicalJson(manifest))}`, 'utf8');

/**
 * Reads a stored manifest. Its bytes have to be exactly its canonical form, so that no byte of the object can change
 * unnoticed. Whether the MAC is right is for KMS to say.
 *
 * @throws ManifestError saying what is wrong.
 */
export function parseManifest(text: string): ManifestEnvelope {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ManifestError('The manifest is not JSON.', { cause: error });
  }
  const result = envelopeSchema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
    throw new ManifestError(`The manifest has not the form of one${where}.`);
  }
  if (canonicalJson(json) !== text) throw new ManifestError('The manifest is not in its canonical form.');
  return result.data;
}
