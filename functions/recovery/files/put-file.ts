import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { onDependency } from '../../shared/dependency.ts';
import { DamagedObjectError } from '../errors.ts';
import type { FileEntry, FilePart } from './model.ts';
import { type FilesSource, openFile } from './read-file.ts';

/** What is at the place that a file goes to. */
export type Present = 'absent' | 'equal' | 'different';

/**
 * Whether a file is already where it is to go, with the same content. Attributes are not compared.
 * @throws DependencyError
 */
export async function lookAt(target: FilesSource, key: string, entry: FileEntry): Promise<Present> {
  const head = await headOf(target, key);
  if (head === undefined) return 'absent';
  if (head.ContentLength !== entry.size) return 'different';
  if (key === entry.key && head.VersionId === entry.versionId && entry.versionId !== 'null') return 'equal';
  const { ChecksumSHA256, ChecksumType } = head;
  if (ChecksumSHA256 !== undefined && ChecksumType !== 'COMPOSITE' && entry.sha256 !== null) {
    return Buffer.from(ChecksumSHA256, 'base64').toString('hex') === entry.sha256 ? 'equal' : 'different';
  }
  return (await hasContent(target, key, head, entry)) ? 'equal' : 'different';
}

async function headOf(
  { s3, bucket }: FilesSource,
  key: string,
): Promise<HeadObjectCommandOutput | undefined> {
  return onDependency('S3', `HeadObject ${key}`, async () => {
    try {
      return await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }));
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return undefined;
      throw error;
    }
  });
}

/** Reads what is there, part by part. */
async function hasContent(
  target: FilesSource,
  key: string,
  { VersionId = 'null' }: HeadObjectCommandOutput,
  entry: FileEntry,
): Promise<boolean> {
  const file = { key, versionId: VersionId, size: entry.size, lastModified: entry.lastModified };
  let from = 0;
  for (const { bytes, sha256 } of entry.parts) {
    const hash = createHash('sha256');
    const { content } = await openFile(target, file, { from, bytes });
    for await (const piece of content) hash.update(piece);
    if (hash.digest('hex') !== sha256) return false;
    from += bytes;
  }
  return true;
}

/** What S3 keeps with a file, as it takes it. */
function parametersOf({ bucket }: FilesSource, key: string, entry: FileEntry, overwrite: boolean) {
  const { headers, metadata, tags } = entry;
  const tagging = new URLSearchParams(tags).toString();
  return {
    Bucket: bucket,
    Key: key,
    ContentType: headers.contentType,
    CacheControl: headers.cacheControl,
    ContentDisposition: headers.contentDisposition,
    ContentEncoding: headers.contentEncoding,
    ContentLanguage: headers.contentLanguage,
    WebsiteRedirectLocation: headers.redirect,
    Metadata: metadata,
    ...(tagging !== '' && { Tagging: tagging }),
    // Whoever has put something there since it was looked at has not done so in vain.
    ...(!overwrite && { IfNoneMatch: '*' }),
  };
}

/**
 * Writes a small file whose content was checked.
 * @returns false when something is there by now, and stays.
 * @throws DependencyError
 */
export async function putSmall(
  target: FilesSource,
  key: string,
  entry: FileEntry,
  content: Buffer,
  overwrite: boolean,
): Promise<boolean> {
  const parameters = parametersOf(target, key, entry, overwrite);
  return unlessPresent(key, async () => {
    await target.s3.send(new PutObjectCommand({ ...parameters, Body: content, ChecksumAlgorithm: 'SHA256' }));
  });
}

/** S3's least size of a part. */
const partBytes = 8 * 1024 * 1024;
const maximumParts = 10_000;

/**
 * Writes a large file as it is read. It becomes visible when all of it was found to be what was stored, and not before.
 *
 * @param open gives the content of each part of the file.
 * @returns false when something is there by now, and stays.
 * @throws DamagedObjectError with nothing written. DependencyError
 */
export async function putLarge(
  target: FilesSource,
  key: string,
  entry: FileEntry,
  open: (part: FilePart) => AsyncIterable<Buffer>,
  overwrite: boolean,
): Promise<boolean> {
  async function* checked(): AsyncGenerator<Buffer> {
    for (const part of entry.parts) {
      const hash = createHash('sha256');
      for await (const piece of open(part)) {
        hash.update(piece);
        yield piece;
      }
      requireSame(entry, part, hash.digest('hex'));
    }
  }
  const parameters = parametersOf(target, key, entry, overwrite);
  const upload = new Upload({
    client: target.s3,
    params: { ...parameters, Body: Readable.from(checked()) },
    partSize: Math.max(partBytes, Math.ceil(entry.size / (maximumParts - 1))),
    queueSize: 2,
    leavePartsOnError: false,
  });
  return unlessPresent(key, async () => {
    await upload.done();
  });
}

/** @throws DamagedObjectError naming the file. */
export function requireSame(entry: FileEntry, part: FilePart, sha256: string): void {
  if (sha256 === part.sha256) return;
  throw new DamagedObjectError(
    `The content of the file ${entry.key} has the SHA-256 ${sha256}; ${part.sha256} was backed up.`,
  );
}

async function unlessPresent(key: string, put: () => Promise<void>): Promise<boolean> {
  return onDependency('S3', `PutObject ${key}`, async () => {
    try {
      await put();
      return true;
    } catch (error) {
      if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412) return false;
      throw error;
    }
  });
}
