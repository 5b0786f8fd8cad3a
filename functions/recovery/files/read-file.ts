import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { DependencyError, onDependency } from '../../shared/dependency.ts';
import { IncompleteBackupError } from '../errors.ts';
import type { FileEntry, ListedFile } from './model.ts';

/** Where files are read: one version each, and nothing else of the bucket. */
export interface FilesSource {
  readonly s3: S3Client;
  readonly bucket: string;
}

/** What S3 keeps with a file beside its content. */
export type FileAttributes = Pick<FileEntry, 'headers' | 'metadata' | 'tags'>;

/** Bytes of a file: all of it, or some. */
export interface ByteSpan {
  readonly from: number;
  readonly bytes: number;
}

/** Times that a transfer that breaks off is taken up again where it was. */
const resumptions = 3;

/**
 * Opens a version of a file.
 *
 * @returns its attributes, and its content to be read once.
 * @throws IncompleteBackupError naming the file when that version is gone for good. DependencyError
 */
export async function openFile(
  source: FilesSource,
  file: ListedFile,
  span: ByteSpan = { from: 0, bytes: file.size },
): Promise<FileAttributes & { content: AsyncGenerator<Buffer> }> {
  const first = await get(source, file, span);
  const { TagCount = 0 } = first;
  return {
    ...attributesOf(first),
    tags: TagCount > 0 ? await readTags(source, file) : {},
    content: contentOf(source, file, span, first),
  };
}

/** The content of a small file. */
export async function readFile(
  source: FilesSource,
  file: ListedFile,
): Promise<FileAttributes & { content: Buffer }> {
  const { content, ...attributes } = await openFile(source, file);
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(piece);
  return { ...attributes, content: Buffer.concat(pieces) };
}

async function* contentOf(
  source: FilesSource,
  file: ListedFile,
  span: ByteSpan,
  first: GetObjectCommandOutput,
): AsyncGenerator<Buffer> {
  let answer = first;
  let done = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const { Body } = answer;
      if (!(Body instanceof Readable)) throw new Error('S3 gave no content');
      for await (const piece of Body) {
        done += piece.length;
        yield piece;
      }
      break;
    } catch (error) {
      if (attempt > resumptions || done >= span.bytes) {
        throw new DependencyError(`S3 did not complete GetObject ${file.key}: ${String(error)}`, {
          cause: error,
        });
      }
      answer = await get(source, file, { from: span.from + done, bytes: span.bytes - done });
    }
  }
  if (done !== span.bytes) {
    throw new IncompleteBackupError(
      `S3 gave ${done} bytes of the file ${file.key}; its version ${file.versionId} has ${span.bytes}.`,
    );
  }
}

async function get(source: FilesSource, file: ListedFile, span: ByteSpan): Promise<GetObjectCommandOutput> {
  const whole = span.from === 0 && span.bytes === file.size;
  return onDependency('S3', `GetObject ${file.key}`, async () => {
    try {
      return await source.s3.send(
        new GetObjectCommand({
          Bucket: source.bucket,
          Key: file.key,
          VersionId: file.versionId,
          ...(whole ? {} : { Range: `bytes=${span.from}-${span.from + span.bytes - 1}` }),
        }),
      );
    } catch (error) {
      throw gone(error, file) ?? error;
    }
  });
}

async function readTags({ s3, bucket }: FilesSource, file: ListedFile): Promise<FileEntry['tags']> {
  const { TagSet = [] } = await onDependency('S3', `GetObjectTagging ${file.key}`, async () => {
    try {
      return await s3.send(
        new GetObjectTaggingCommand({ Bucket: bucket, Key: file.key, VersionId: file.versionId }),
      );
    } catch (error) {
      throw gone(error, file) ?? error;
    }
  });
  return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
}

const goneCodes: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound']);

function gone(error: unknown, { key, versionId }: ListedFile): IncompleteBackupError | undefined {
  if (!(error instanceof S3ServiceException)) return undefined;
  if (error.name === 'InvalidObjectState') {
    return new IncompleteBackupError(
      `The file ${key} is archived: S3 does not give it before it is restored.`,
    );
  }
  if (!goneCodes.has(error.name)) return undefined;
  return new IncompleteBackupError(
    `The file ${key} is gone for good: its version ${versionId} was removed after it had been listed.`,
  );
}

function attributesOf(answer: GetObjectCommandOutput): Omit<FileAttributes, 'tags'> {
  const { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage } = answer;
  return {
    headers: {
      ...(ContentType !== undefined && { contentType: ContentType }),
      ...(CacheControl !== undefined && { cacheControl: CacheControl }),
      ...(ContentDisposition !== undefined && { contentDisposition: ContentDisposition }),
      ...(ContentEncoding !== undefined && { contentEncoding: ContentEncoding }),
      ...(ContentLanguage !== undefined && { contentLanguage: ContentLanguage }),
      ...(answer.WebsiteRedirectLocation !== undefined && { redirect: answer.WebsiteRedirectLocation }),
    },
    metadata: answer.Metadata ?? {},
  };
}
