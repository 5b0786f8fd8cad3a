import { kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { planShard } from './chunks/plan-shard.ts';
import { requireAtWork, shardParts } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';

/** Divides a shard's tables into the work items of the distributed Map. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-chunks'],
  handler: (environment) => {
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const manifests = new ManifestStore(bucket, kms(), environment.HMAC_KEY_ARN);
    const keyArn = environment.ENCRYPTION_KEY_ARN;
    return async (event, { log }) => {
      const parts = shardParts(environment.RECOVERY_TABLE, event);
      await requireAtWork(parts.catalog, parts.backupId);
      const targetBytes = environment.CHUNK_TARGET_MIB * 1024 * 1024;
      const planned = await planShard({ ...parts, bucket, manifests, keyArn, targetBytes, log });
      const result = { bucket: bucket.name, ...planned };
      log.info('Chunks planned', { backupId: event.backupId, shard: event.shard.name, ...result });
      return result;
    };
  },
});
