import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient, ReplicateKeyCommand } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { replicaArn } from '../../../../functions/recovery/keys/reading.ts';
import { KmsService } from '../../../../local/kms/kms-service.ts';
import { S3Service } from '../../../../local/s3/s3-service.ts';
import { startAws } from '../../../local/aws/emulated-aws.ts';
import { standbyRegion } from '../keys/support.ts';
import { type Aws, startAwsWorld } from './world.ts';

/** A region with a deployment, and the one that outlives it: a KMS of its own, and an S3 with copies of what was stored. */
export interface Standby {
  readonly world: Aws;
  readonly kms: KMSClient;
  readonly s3: S3Client;
  /** The replica of a key here; made when it is asked for first. */
  replicaOf(keyArn: string): Promise<string>;
  /** Has S3 hold what the world's buckets hold now, as replication does: in the same versions, under the replicas of their keys. */
  copyAll(): Promise<void>;
  close(): Promise<void>;
}

export async function startStandby(): Promise<Standby> {
  let kmsService: KmsService | undefined;
  let s3Service: S3Service | undefined;
  const aws = await startAws(({ directory, authorizer }) => {
    const here = new KmsService({ directory, authorizer, region: standbyRegion });
    kmsService = here;
    s3Service = new S3Service({
      ...{ directory: join(directory, 's3'), authorizer, region: standbyRegion },
      kms: { useBy: (by, key, ...use) => here.useBy(by, replicaArn(key, standbyRegion), ...use) },
    });
    return [here.api, s3Service.api];
  }, standbyRegion);
  const world = await startAwsWorld((region) => (region === standbyRegion ? kmsService : undefined));
  const kms = new KMSClient(aws.client());
  const s3 = new S3Client(aws.client());
  const replicas = new Set<string>();
  return {
    ...{ world, kms, s3 },
    replicaOf: async (KeyId) => {
      if (!replicas.has(KeyId)) {
        await world.kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: standbyRegion }));
      }
      replicas.add(KeyId);
      return replicaArn(KeyId, standbyRegion);
    },
    copyAll: async () => {
      await s3Service?.stop();
      cpSync(join(world.aws.directory, 's3'), join(aws.directory, 's3'), { recursive: true, force: true });
      await s3Service?.start();
    },
    close: async () => {
      for (const client of [kms, s3]) client.destroy();
      await aws.endpoint.stop();
      await s3Service?.stop();
      await aws.close();
      await world.close();
    },
  };
}
