import { createHash } from 'node:crypto';
import { HeadObjectCommand, NotFound, type S3Client } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';

/** What the content of a file is known by: it changes with the content. */
export interface ContentVersion {
  /** `etag`: an opaque text of S3's, where it has no SHA-256 of the whole. */
  readonly algorithm: 'sha256' | 'etag';
  readonly value: string;
}

/** @returns nothing where there is no such object. @throws DependencyError */
export async function contentVersion(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<ContentVersion | undefined> {
  return onDependency('S3', 'HeadObject', async () => {
    try {
      const { ChecksumSHA256, ChecksumType, ETag } = await client.send(
        new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
      );
      if (ChecksumSHA256 !== undefined && ChecksumType !== 'COMPOSITE') {
        return { algorithm: 'sha256', value: Buffer.from(ChecksumSHA256, 'base64').toString('hex') };
      }
      return { algorithm: 'etag', value: (ETag ?? '').replaceAll('"', '') };
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  });
}

/** The part of a version that stands in a URL: 16 hexadecimal digits. */
export const shortVersion = ({ algorithm, value }: ContentVersion): string =>
  (algorithm === 'sha256' ? value : createHash('sha256').update(value).digest('hex')).slice(0, 16);
