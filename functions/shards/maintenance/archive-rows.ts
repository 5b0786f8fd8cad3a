import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { CopyOut } from '../../recovery/chunks/copy-out.ts';
import { upload } from '../../recovery/objects/upload.ts';
import type { Archive } from './clean-up.ts';

/**
 * Stores rows as COPY text with a line of column names, compressed by zstd. `zstd -d` and `COPY … FROM STDIN (HEADER MATCH)` bring
 * them back.
 */
export function archiver(client: S3Client, bucket: string): Archive {
  return async (database, sql, key) => {
    const copy = new CopyOut(`COPY (${sql}) TO STDOUT (HEADER)`);
    const body = new PassThrough();
    database.query(copy);
    try {
      await Promise.all([
        pipeline(copy, createZstdCompress(), body),
        upload(client, { bucket, key: `${key}.copy.zst`, contentType: 'application/zstd' }, body),
      ]);
      return copy.rows;
    } catch (error) {
      copy.destroy();
      body.destroy();
      throw error;
    } finally {
      // The connection is free for COMMIT or ROLLBACK.
      await copy.settled;
    }
  };
}
