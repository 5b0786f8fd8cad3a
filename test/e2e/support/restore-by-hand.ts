import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node';
import { DecryptCommand, KMSClient, VerifyMacCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import * as z from 'zod';

/*
 * `docs/restore-without-mainstay.md` as a program: the steps of that page, by public libraries and with nothing of Mainstay. It
 * imports no other file of this repository, and a test sees to that.
 */

const objectSchema = z.object({
  key: z.string(),
  versionId: z.string(),
  sha256: z.string(),
  compression: z.enum(['zstd', 'gzip']),
  plainBytes: z.number(),
  context: z.record(z.string(), z.string()),
});
export type StoredObject = z.output<typeof objectSchema>;

const chunkSchema = objectSchema.extend({
  rows: z.object({ range: z.object({ oid: z.number() }), count: z.number(), digest: z.string() }),
});

const tableSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.object({ name: z.string() })),
  rows: z.number(),
  digest: z.string(),
});
export type Table = z.output<typeof tableSchema>;

const serverSchema = z.object({
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  localeProvider: z.enum(['libc', 'icu', 'builtin']),
  locale: z.string().nullable(),
});

const shardSchema = z.object({
  name: z.string(),
  server: serverSchema,
  tables: z.array(tableSchema),
  preData: objectSchema,
  postData: objectSchema,
  sequences: objectSchema,
  chunks: z.array(chunkSchema),
});
export type Shard = z.output<typeof shardSchema>;

const envelopeSchema = z.object({
  manifest: z.object({
    backupId: z.string(),
    encoding: z.object({ keyArn: z.string(), settings: z.record(z.string(), z.string()) }),
    shards: z.array(shardSchema),
  }),
  mac: z.object({ algorithm: z.literal('HMAC_SHA_256'), value: z.string() }),
});
export type Manifest = z.output<typeof envelopeSchema>['manifest'];

const sequencesSchema = z.object({
  sequences: z.array(
    z.object({
      schema: z.string(),
      name: z.string(),
      lastValue: z.string().nullable(),
      isCalled: z.boolean(),
    }),
  ),
});

/** How to reach AWS, and what an operator knows without the manifest. */
export interface Place {
  readonly aws: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly bucket: string;
  /** Of the deployment, not the one that a manifest names. */
  readonly macKey: string;
}

const decompress = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };
const sdk = buildClient({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 3,
});

const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const relation = ({ schema, name }: { schema: string; name: string }): string =>
  `${quote(schema)}.${quote(name)}`;
const columnsOf = ({ columns }: Table): string => columns.map(({ name }) => quote(name)).join(', ');

/** The text that a manifest's MAC is over, made of the stored file's bytes. */
export function macMessage(stored: string): string {
  const manifest = /^\{(?:"escrow":\{.*\},)?"mac":\{[^}]*\},"manifest":(.*)\}$/su.exec(stored)?.[1];
  if (manifest === undefined) throw new Error('The manifest has not the form of one.');
  return `mainstay:manifest:v1\n${sha256(manifest)}`;
}

/** Rows of COPY text, and the sum of their lines' SHA-256 modulo 2^256. */
export function digestOf(copyText: Buffer): { rows: number; digest: string } {
  let rows = 0;
  let total = 0n;
  for (let start = 0, end = copyText.indexOf('\n'); end !== -1; end = copyText.indexOf('\n', start)) {
    total += BigInt(`0x${sha256(copyText.subarray(start, end + 1))}`);
    start = end + 1;
    rows++;
  }
  return { rows, digest: (total % 2n ** 256n).toString(16).padStart(64, '0') };
}

/** One backup in a bucket, whose manifest is authentic. */
export class BackupByHand {
  readonly manifest: Manifest;
  readonly #place: Place;
  readonly #s3: S3Client;

  private constructor(place: Place, s3: S3Client, manifest: Manifest) {
    this.#place = place;
    this.#s3 = s3;
    this.manifest = manifest;
  }

  /** @throws when KMS says that the MAC is not the manifest's. */
  static async open(place: Place, backupId: string): Promise<BackupByHand> {
    const s3 = new S3Client({ ...place.aws, forcePathStyle: true });
    const key = `backups/${backupId}/manifest.json`;
    const stored = (await read(s3, { Bucket: place.bucket, Key: key })).toString('utf8');
    const { manifest, mac } = envelopeSchema.parse(JSON.parse(stored));
    await new KMSClient(place.aws).send(
      new VerifyMacCommand({
        KeyId: place.macKey,
        MacAlgorithm: mac.algorithm,
        Message: Buffer.from(macMessage(stored)),
        Mac: Buffer.from(mac.value, 'base64'),
      }),
    );
    return new BackupByHand(place, s3, manifest);
  }

  shard(name: string): Shard {
    const found = this.manifest.shards.find((shard) => shard.name === name);
    if (found === undefined) throw new Error(`The backup does not hold ${name}.`);
    return found;
  }

  /** What an object holds. @throws unless it is exactly what the manifest says. */
  async content(object: StoredObject): Promise<Buffer> {
    const { key, versionId, context } = object;
    const stored = await read(this.#s3, { Bucket: this.#place.bucket, Key: key, VersionId: versionId });
    if (sha256(stored) !== object.sha256) throw new Error(`${key} has another hash.`);
    const { plaintext, messageHeader } = await sdk.decrypt(this.#keyring(), stored);
    for (const [name, value] of Object.entries(context)) {
      if (messageHeader.encryptionContext[name] !== value) throw new Error(`${key} is about something else.`);
    }
    const content = await decompress[object.compression](plaintext);
    if (content.length !== object.plainBytes) throw new Error(`${key} has another length.`);
    return content;
  }

  /** Opens data keys by the key that the manifest names, and wraps none. */
  #keyring(): KmsKeyringNode {
    const kms = new KMSClient(this.#place.aws);
    const refuse = () => Promise.reject(new Error('A reader encrypts nothing.'));
    const client = {
      generateDataKey: refuse,
      encrypt: refuse,
      decrypt: async (input: { CiphertextBlob: Uint8Array; EncryptionContext?: Record<string, string> }) => {
        const { KeyId = '', Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand(input));
        return { KeyId, Plaintext };
      },
    };
    return new KmsKeyringNode({
      keyIds: [this.manifest.encoding.keyArn],
      clientProvider: () => client,
    });
  }

  /** The statement that makes an empty database with the locale of a shard's. */
  createDatabase(shard: Shard, database: string): string {
    const { encoding, collate, ctype, localeProvider, locale } = shard.server;
    const named = { libc: '', icu: ' ICU_LOCALE ', builtin: ' BUILTIN_LOCALE ' }[localeProvider];
    return `CREATE DATABASE ${quote(database)} TEMPLATE template0 ENCODING ${literal(encoding)}
      LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)} LOCALE_PROVIDER ${localeProvider}${
        named === '' ? '' : named + literal(locale ?? '')
      }`;
  }

  /** Roles that own something in a shard; whoever restores needs to be one of each. */
  async owners(shard: Shard): Promise<string[]> {
    const schema = `${await this.content(shard.preData)}${await this.content(shard.postData)}`;
    return [...new Set([...schema.matchAll(/ OWNER TO (.*);$/gm)].map(([, owner = '']) => owner))].sort();
  }

  /** Gives a session the settings under which values were written. */
  async prepare(client: pg.Client): Promise<void> {
    for (const [name, value] of Object.entries(this.manifest.encoding.settings)) {
      await client.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value]);
    }
  }

  /**
   * Restores a shard into an empty database.
   *
   * @param client connected to it, and prepared.
   * @param loaded called when all rows are there, before anything that hides or changes them is.
   */
  async restore(shard: Shard, client: pg.Client, loaded: () => Promise<void>): Promise<void> {
    await client.query((await this.content(shard.preData)).toString('utf8'));
    await this.prepare(client);
    for (const chunk of shard.chunks) {
      const table = shard.tables.find(({ oid }) => oid === chunk.rows.range.oid);
      if (table === undefined) throw new Error(`${chunk.key} is of no table.`);
      const text = await this.content(chunk);
      const { rows, digest } = digestOf(text);
      if (rows !== chunk.rows.count || digest !== chunk.rows.digest) {
        throw new Error(`${chunk.key} holds other rows.`);
      }
      const columns = columnsOf(table);
      const list = columns === '' ? '' : ` (${columns})`;
      const target = client.query(copyFrom(`COPY ${relation(table)}${list} FROM STDIN`));
      await pipeline(Readable.from([text]), target);
    }
    await loaded();
    const { sequences } = sequencesSchema.parse(
      JSON.parse((await this.content(shard.sequences)).toString('utf8')),
    );
    for (const { schema, name, lastValue, isCalled } of sequences) {
      if (lastValue === null) continue;
      const values = [relation({ schema, name }), lastValue, isCalled];
      await client.query('SELECT pg_catalog.setval($1::regclass, $2::bigint, $3)', values);
    }
    await client.query((await this.content(shard.postData)).toString('utf8'));
    await client.query('ANALYZE');
  }

  /** Rows and digest of a table in a database. The session has to be prepared, and to see all rows. */
  async digestIn(client: pg.Client, table: Table): Promise<{ rows: number; digest: string }> {
    const pieces: Buffer[] = [];
    const stream = client.query(
      copyTo(`COPY (SELECT ${columnsOf(table)} FROM ONLY ${relation(table)}) TO STDOUT`),
    );
    for await (const piece of stream) pieces.push(piece);
    return digestOf(Buffer.concat(pieces));
  }
}

async function read(
  s3: S3Client,
  object: { Bucket: string; Key: string; VersionId?: string },
): Promise<Buffer> {
  const answer = await s3.send(new GetObjectCommand(object));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}
