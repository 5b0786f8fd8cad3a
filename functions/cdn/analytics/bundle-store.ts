import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import * as z from 'zod';
import { onDependency } from '../../shared/dependency.ts';
import { type Bundle, type Directory, directorySchema } from './bundle.ts';

/** What an item holds of a bundle: its bytes, or where they are. An item of DynamoDB has 400 KB. */
export const storedBundleSchema = z.object({
  directory: directorySchema,
  bytes: z.instanceof(Uint8Array).optional(),
  objectKey: z.string().optional(),
});
export type StoredBundle = z.output<typeof storedBundleSchema>;

/** Bundles in items where they are small, and in S3 beyond. */
export class BundleStore {
  readonly #s3: S3Client;
  readonly #bucket: string;

  readonly #mostInline: number;

  /** @param mostInline bytes of a bundle that are kept in an item. */
  constructor(s3: S3Client, bucket: string, mostInline = 200_000) {
    this.#mostInline = mostInline;
    this.#s3 = s3;
    this.#bucket = bucket;
  }

  /** Stores a bundle, under `key` where it is large; the same bundle again changes nothing. */
  async put(key: string, { directory, bytes }: Bundle): Promise<StoredBundle> {
    if (bytes.length <= this.#mostInline) return { directory, bytes };
    await onDependency('S3', `PutObject ${key}`, () =>
      this.#s3.send(new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: bytes })),
    );
    return { directory, objectKey: key };
  }

  /** One part; nothing where the bundle has none of that name, or where the bundle has been replaced by a later one. */
  async part(stored: StoredBundle, name: string): Promise<Uint8Array | 'none' | 'replaced'> {
    const place = placeOf(stored.directory, name);
    if (place === undefined) return 'none';
    const [offset, length] = place;
    if (stored.bytes !== undefined) return stored.bytes.subarray(offset, offset + length);
    if (length === 0) return new Uint8Array();
    return (await this.#read(stored, `bytes=${offset}-${offset + length - 1}`)) ?? 'replaced';
  }

  /** All parts, by name; nothing where the bundle has been replaced. */
  async parts(stored: StoredBundle): Promise<Map<string, Uint8Array> | 'replaced'> {
    const bytes = stored.bytes ?? (await this.#read(stored));
    if (bytes === undefined) return 'replaced';
    return new Map(
      Object.entries(stored.directory).map(([name, [offset, length]]) => [
        name,
        bytes.subarray(offset, offset + length),
      ]),
    );
  }

  async remove(key: string): Promise<void> {
    await onDependency('S3', `DeleteObject ${key}`, () =>
      this.#s3.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
  }

  async #read({ objectKey }: StoredBundle, range?: string): Promise<Uint8Array | undefined> {
    return onDependency('S3', `GetObject ${objectKey}`, async () => {
      try {
        const { Body } = await this.#s3.send(
          new GetObjectCommand({ Bucket: this.#bucket, Key: objectKey, ...(range && { Range: range }) }),
        );
        return await Body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    });
  }
}

const placeOf = (directory: Directory, name: string) =>
  Object.hasOwn(directory, name) ? directory[name] : undefined;
