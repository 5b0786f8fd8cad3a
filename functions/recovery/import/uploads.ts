import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { onDependency } from '../../shared/dependency.ts';
import { isoTime } from '../clock.ts';
import type { BackupId } from '../ids.ts';
import { uploadKey } from '../objects/object-keys.ts';
import type { ImportRecord, Uploads } from './model.ts';

/** The bucket that is uploaded to, and a client that computes no checksum: a URL is signed before there is a body. */
export interface UploadPlace {
  readonly s3: S3Client;
  readonly bucket: string;
}

/** Begins an upload in parts. @returns the id that S3 gives it. */
export async function beginParts({ s3, bucket }: UploadPlace, id: BackupId): Promise<string> {
  const { UploadId } = await onDependency('S3', 'CreateMultipartUpload', () =>
    s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: uploadKey(id) })),
  );
  return UploadId ?? '';
}

/** Signs what an upload needs: one URL, or one for each part. Nothing is sent to AWS. */
export async function signUploads(
  { s3, bucket }: UploadPlace,
  id: BackupId,
  { multipart, announced }: Pick<ImportRecord, 'multipart' | 'announced'>,
  { seconds, now }: { seconds: number; now: number },
): Promise<Uploads> {
  const target = { Bucket: bucket, Key: uploadKey(id) };
  const options = { expiresIn: seconds };
  const common = { method: 'PUT' as const, expiresAt: isoTime(now + seconds * 1000) };
  if (multipart === undefined) {
    const url = await getSignedUrl(s3, new PutObjectCommand(target), options);
    return { ...common, url, partBytes: null, parts: null };
  }
  const { uploadId, partBytes } = multipart;
  const count = Math.ceil((announced.sizeBytes ?? 0) / partBytes);
  const parts: { partNumber: number; url: string }[] = [];
  for (let partNumber = 1; partNumber <= count; partNumber++) {
    const command = new UploadPartCommand({ ...target, UploadId: uploadId, PartNumber: partNumber });
    parts.push({ partNumber, url: await getSignedUrl(s3, command, options) });
  }
  return { ...common, url: null, partBytes, parts };
}

/** What S3 says when parts are missing, wrong or too small. */
const wrongParts: ReadonlySet<string> = new Set(['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall']);

/**
 * Puts the parts of an upload together. @returns `wrong-parts` with S3's reason; `gone` when there is no such upload (any more):
 * it was completed before, or took longer than a day.
 * @throws DependencyError
 */
export async function completeParts(
  { s3, bucket }: UploadPlace,
  id: BackupId,
  uploadId: string,
  parts: readonly { partNumber: number; etag: string }[],
): Promise<'completed' | 'gone' | { readonly wrongParts: string }> {
  const sorted = [...parts].sort((a, b) => a.partNumber - b.partNumber);
  return onDependency('S3', 'CompleteMultipartUpload', async () => {
    try {
      await s3.send(
        new CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: uploadKey(id),
          UploadId: uploadId,
          MultipartUpload: {
            Parts: sorted.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })),
          },
        }),
      );
      return 'completed';
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      if (error.name === 'NoSuchUpload') return 'gone';
      if (wrongParts.has(error.name)) return { wrongParts: error.message };
      throw error;
    }
  });
}
