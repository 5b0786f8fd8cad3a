import { randomUUID } from 'node:crypto';
import { dynamo, kms, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog, backupPartition } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { systemClock } from './clock.ts';
import { requireAtWork, storePlace } from './compose.ts';
import { recoveryContract } from './contract.ts';
import { BackupNotRunningError } from './errors.ts';
import { FilesCatalog } from './files/files-catalog.ts';
import { indexFiles } from './files/index-files.ts';
import { planFiles } from './files/plan-files.ts';
import { ManifestStore } from './manifest/manifest-store.ts';
import { Bucket } from './objects/bucket.ts';

/** Kept back to leave what was listed, in milliseconds. */
const endMs = 120_000;

/** Lists the files and divides them into work items; and, when all are copied, stores the list of them. */
export const handler = eventFunction({
  contract: recoveryContract.functions['plan-files'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const bucket = new Bucket(s3(), environment.BACKUPS_BUCKET);
    const manifests = new ManifestStore(bucket, kms(), environment.HMAC_KEY_ARN);
    const place = storePlace(environment);
    return async ({ phase, backupId, type }, { log, remainingMs, trace: { traceparent } }) => {
      const files = new FilesCatalog(table, backupId);
      const failures = new Failures(table, backupPartition(backupId));
      return failures.watch(`files#${phase}`, async () => {
        await requireAtWork(catalog, backupId);
        const record = await catalog.get(backupId);
        if (record === undefined) throw new BackupNotRunningError(`There is no backup ${backupId}.`);
        if (phase === 'plan') {
          const planned = await planFiles(
            {
              ...{ catalog, manifests, bucket, files, clock: systemClock },
              source: { s3: s3(), bucket: environment.ASSETS_BUCKET },
              place: { bucket, kms: kms(), keyArn: environment.ENCRYPTION_KEY_ARN },
              type,
              escrow: place.escrow,
              deadline: systemClock.now() + remainingMs() - endMs,
            },
            record,
          );
          log.info('Files listed', { backupId, ...planned });
          return { ...planned, bucket: bucket.name };
        }
        const attempt = randomUUID().slice(0, 8);
        const index = await indexFiles({ catalog, manifests, bucket, place, files, attempt }, backupId);
        log.info('List of files stored', { backupId, key: index.key, bytes: index.plainBytes });
        return {
          purpose: 'component',
          ...{ backupId, traceparent },
          part: 'files-index',
          work: { item: 0, objects: [index] },
        };
      });
    };
  },
});
