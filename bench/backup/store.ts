import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { Bucket } from '../../functions/recovery/objects/bucket.ts';
import { removePrefix } from '../../functions/recovery/objects/remove-prefix.ts';
import { Child } from '../measure/child.ts';

/** Where objects go, and with which key they are encrypted. */
export const storeFactsSchema = z.object({
  endpoint: z.url(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  bucket: z.string(),
  keyArn: z.string(),
});
export type StoreFacts = z.output<typeof storeFactsSchema>;

const clientSettings = ({ endpoint, accessKeyId, secretAccessKey }: StoreFacts) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey },
});

export const s3Client = (facts: StoreFacts) =>
  new S3Client({ ...clientSettings(facts), forcePathStyle: true });
export const kmsClient = (facts: StoreFacts) => new KMSClient(clientSettings(facts));

/** The local runtime's S3 and KMS, in a process of their own and a temporary directory. */
export class BenchStore {
  readonly facts: StoreFacts;
  readonly #child: Child;
  readonly #directory: string;

  private constructor(facts: StoreFacts, child: Child, directory: string) {
    this.facts = facts;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(): Promise<BenchStore> {
    const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-'));
    const child = new Child(join(import.meta.dirname, 'store-main.ts'), [directory]);
    return new BenchStore(await child.receive(storeFactsSchema), child, directory);
  }

  /** Removes all objects. */
  async clear(): Promise<void> {
    const s3 = s3Client(this.facts);
    await removePrefix(new Bucket(s3, this.facts.bucket), '', () => true);
    s3.destroy();
  }

  async close(): Promise<void> {
    await this.#child.finish();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
