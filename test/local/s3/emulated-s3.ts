import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { jest } from '@jest/globals';
import { KmsService } from '../../../local/kms/kms-service.ts';
import type { ObjectEvent } from '../../../local/s3/events.ts';
import { S3Service } from '../../../local/s3/s3-service.ts';
import { type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

// Uploads of some MB take their time on a machine that runs many tests at once.
jest.setTimeout(30_000);

/** S3 behind a real endpoint, with KMS beside it. */
export interface EmulatedS3 {
  aws: EmulatedAws;
  s3: S3Service;
  kms: KmsService;
  /** A client of the operator. */
  client: S3Client;
  /** A client of the operator that adds no checksums of its own. */
  plainClient: S3Client;
  /** A client of a role with just these statements. */
  asRole(...statements: object[]): S3Client;
  events: ObjectEvent[];
  /** What S3 takes for the present; undefined: the system's time. */
  clock: { now: number | undefined };
  close(): Promise<void>;
}

export async function startS3(): Promise<EmulatedS3> {
  const events: ObjectEvent[] = [];
  const clock: EmulatedS3['clock'] = { now: undefined };
  let s3: S3Service | undefined;
  let kms: KmsService | undefined;
  const aws = await startAws(async ({ directory, authorizer }) => {
    kms = new KmsService({ directory, authorizer });
    s3 = new S3Service({
      directory: join(directory, 's3'),
      authorizer,
      kms,
      onEvent: (event) => events.push(event),
      now: () => clock.now ?? Date.now(),
    });
    await s3.start();
    return [s3.api, kms.api];
  });
  if (!s3 || !kms) throw new Error('S3 has not been built');
  const service = s3;
  const client = new S3Client(aws.client());
  const plainClient = new S3Client({ ...aws.client(), requestChecksumCalculation: 'WHEN_REQUIRED' });
  return {
    aws,
    s3: service,
    kms,
    client,
    plainClient,
    asRole: (...statements) => new S3Client(aws.asRole(...statements)),
    events,
    clock,
    close: async () => {
      client.destroy();
      plainClient.destroy();
      await aws.endpoint.stop();
      await service.stop();
      await aws.close();
    },
  };
}
