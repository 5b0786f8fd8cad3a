import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { awsConfig, bucketNamed } from './aws.ts';
import { sortedLines } from './databases.ts';
import type { LocalJson } from './local-platform.ts';

/*
 * Reads stored backups with public tools alone: S3, KMS, the AWS Encryption SDK, zlib, and what `manifest.json` says.
 * Nothing of the functions is used, so that they cannot agree with themselves about what is wrong.
 */

const objectSchema = z.object({
  kind: z.enum(['rows', 'pre-data', 'post-data', 'sequences']),
  key: z.string(),
  versionId: z.string(),
  sha256: z.string(),
  storedBytes: z.number(),
  compression: z.enum(['zstd', 'gzip']),
  plainBytes: z.number(),
  context: z.record(z.string(), z.string()),
  rows: z
    .object({
      range: z.object({
        schema: z.string(),
        name: z.string(),
        fromBlock: z.number(),
        toBlock: z.number().nullable(),
      }),
      count: z.number(),
    })
    .optional(),
});
export type StoredObject = z.output<typeof objectSchema>;

const tableSchema = z.object({
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  rows: z.number(),
});

const shardSchema = z.object({
  name: z.string(),
  origin: z.object({ instant: z.string(), snapshot: z.string() }),
  tables: z.array(tableSchema),
  preData: objectSchema,
  postData: objectSchema,
  sequences: objectSchema,
  chunks: z.array(objectSchema),
});
export type StoredShard = z.output<typeof shardSchema>;

const manifestSchema = z.object({
  manifest: z.object({
    backupId: z.string(),
    encoding: z.object({ keyArn: z.string(), settings: z.record(z.string(), z.string()) }),
    shards: z.array(shardSchema),
    totals: z.object({ objects: z.number(), rows: z.number() }),
  }),
});
export type Manifest = z.output<typeof manifestSchema>['manifest'];

const decompress = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };
const sdk = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);

/** The SDK's client in the shape that keyrings want; for reading only. */
function decrypting(kms: KMSClient) {
  const refuse = () => Promise.reject(new Error('A reader encrypts nothing.'));
  return {
    generateDataKey: refuse,
    encrypt: refuse,
    decrypt: async (input: { CiphertextBlob: Uint8Array; EncryptionContext?: Record<string, string> }) => {
      const { KeyId = '', Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand(input));
      return { KeyId, Plaintext };
    },
  };
}

/** One backup in the bucket of a running platform. */
export class StoredBackup {
  readonly manifest: Manifest;
  /** Size of `manifest.json`. */
  readonly manifestBytes: number;
  readonly #s3: S3Client;
  readonly #bucket: string;
  readonly #keyring: KmsKeyringNode;

  private constructor(local: LocalJson, s3: S3Client, bucket: string, text: string) {
    const { manifest } = manifestSchema.parse(JSON.parse(text));
    this.manifest = manifest;
    this.manifestBytes = Buffer.byteLength(text);
    this.#s3 = s3;
    this.#bucket = bucket;
    this.#keyring = new KmsKeyringNode({
      keyIds: [manifest.encoding.keyArn],
      clientProvider: () => decrypting(new KMSClient(awsConfig(local))),
    });
  }

  /** Reads the manifest of a backup. */
  static async open(local: LocalJson, backupId: string): Promise<StoredBackup> {
    const s3 = new S3Client({ ...awsConfig(local), forcePathStyle: true });
    const bucket = await bucketNamed(local, 'backups');
    const answer = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: `backups/${backupId}/manifest.json` }),
    );
    const text = (await answer.Body?.transformToString('utf8')) ?? '';
    return new StoredBackup(local, s3, bucket, text);
  }

  shard(name: string): StoredShard {
    const found = this.manifest.shards.find((shard) => shard.name === name);
    if (found === undefined) throw new Error(`The backup does not hold ${name}.`);
    return found;
  }

  /** What an object holds, decrypted and decompressed. */
  async content(object: StoredObject): Promise<Buffer> {
    const answer = await this.#s3.send(
      new GetObjectCommand({ Bucket: this.#bucket, Key: object.key, VersionId: object.versionId }),
    );
    const stored = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    const { plaintext, messageHeader } = await sdk.decrypt(this.#keyring, stored);
    for (const [name, value] of Object.entries(object.context)) {
      if (messageHeader.encryptionContext[name] !== value)
        throw new Error(`${object.key} is about something else.`);
    }
    return decompress[object.compression](plaintext);
  }

  /** The objects that hold a table's rows. */
  chunksOf(shard: string, { schema, name }: { schema: string; name: string }): StoredObject[] {
    return this.shard(shard).chunks.filter(
      ({ rows }) => rows?.range.schema === schema && rows.range.name === name,
    );
  }

  /** The lines of COPY text of a table's rows, sorted. */
  async lines(shard: string, table: { schema: string; name: string }): Promise<string[]> {
    const contents: Buffer[] = [];
    for (const object of this.chunksOf(shard, table)) contents.push(await this.content(object));
    return sortedLines(Buffer.concat(contents));
  }

  /** The rows of a table whose values need no unescaping. */
  async rows(shard: string, table: { schema: string; name: string }): Promise<string[][]> {
    return (await this.lines(shard, table)).map((line) => line.split('\t'));
  }

  async text(object: StoredObject): Promise<string> {
    return (await this.content(object)).toString('utf8');
  }
}
