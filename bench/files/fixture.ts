import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

export const small = { count: 10_000, bytes: 4_096 };
export const large = { count: 3, bytes: 64 * 1024 * 1024 };

/** The same files in a directory and in a bucket. */
export interface Fixture extends AsyncDisposable {
  readonly directory: string;
  readonly bucket: string;
}

/** Half of a small file repeats itself, as text does; large ones do not. */
function contentOf(bytes: number, repeats: boolean): Buffer {
  if (!repeats) return randomBytes(bytes);
  return Buffer.concat([randomBytes(bytes / 2), Buffer.alloc(bytes / 2, 'some text that comes again ')]);
}

/** Makes the files. @param s3 where the bucket is. */
export async function makeFixture(s3: S3Client, bucket = 'bench-assets'): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'mainstay-bench-files-'));
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  const put = async (key: string, content: Buffer, ContentType: string): Promise<void> => {
    await writeFile(join(directory, key), content);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content, ContentType }));
  };
  for (let folder = 0; folder < small.count / 100; folder++) {
    await mkdir(join(directory, String(folder)), { recursive: true });
    const files = Array.from({ length: 100 }, (_, index) => `${folder}/${index}.txt`);
    await Promise.all(files.map((key) => put(key, contentOf(small.bytes, true), 'text/plain')));
  }
  for (let index = 0; index < large.count; index++) {
    await put(`large-${index}.bin`, contentOf(large.bytes, false), 'application/octet-stream');
  }
  return {
    directory,
    bucket,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
