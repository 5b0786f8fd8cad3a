import { randomUUID } from 'node:crypto';
import { dynamo, s3, ssm } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { BackupCatalog, backupPartition } from './catalog/backup-catalog.ts';
import { Failures } from './catalog/failures.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { RestoreCatalog, restorePartition } from './catalog/restore-catalog.ts';
import { RestoreNotes } from './catalog/restore-notes.ts';
import { systemClock } from './clock.ts';
import { requireAtWork, storePlace } from './compose.ts';
import { compareConfiguration } from './configuration/compare-configuration.ts';
import { ConfigurationCatalog } from './configuration/configuration-catalog.ts';
import { dumpConfiguration, readConfiguration } from './configuration/dump-configuration.ts';
import { recoveryContract } from './contract.ts';
import { readingManifests, readingPlaces } from './keys/reading.ts';
import { Bucket } from './objects/bucket.ts';
import { requireRestoring } from './restore/restore-parts.ts';

/** Stores the configuration without secrets; or says what has changed in it since a backup. */
export const handler = eventFunction({
  contract: recoveryContract.functions['dump-configuration'],
  handler: (environment) => {
    const table = new RecoveryTable(dynamo(), environment.RECOVERY_TABLE);
    const catalog = new BackupCatalog(table);
    const place = storePlace(environment);
    const manifestsOf = readingManifests(environment);
    const placeOf = readingPlaces(environment);
    const tables = {
      access: environment.ACCESS_TABLE,
      limits: environment.LIMITS_TABLE,
      webhooks: environment.WEBHOOKS_TABLE,
      shards: environment.SHARDS_TABLE,
      recovery: environment.RECOVERY_TABLE,
    };
    const read = () =>
      readConfiguration({
        ssm: ssm(),
        dynamo: dynamo(),
        tables,
        parameterPaths: environment.PARAMETER_PATHS,
        clock: systemClock,
      });
    return async (event, { log, trace: { traceparent } }) => {
      const { backupId } = event;
      if (event.phase === 'compare') {
        const { restoreId } = event;
        const failures = new Failures(table, restorePartition(restoreId));
        const changes = await failures.watch('configuration', async () => {
          const { keys } = await requireRestoring(new RestoreCatalog(table), restoreId);
          const notes = new RestoreNotes(table, restoreId);
          const scratch = new Bucket(s3(), environment.BACKUPS_BUCKET);
          const manifests = manifestsOf(keys);
          const deps = { catalog, manifests, place: placeOf(keys), scratch, notes, tables };
          return compareConfiguration(deps, { backupId, restoreId }, await read());
        });
        log.info('Configuration compared', { restoreId, backupId, changes });
        return { restoreId, changes };
      }
      const failures = new Failures(table, backupPartition(backupId));
      const object = await failures.watch('configuration', async () => {
        await requireAtWork(catalog, backupId);
        const configuration = new ConfigurationCatalog(table, backupId);
        const attempt = randomUUID().slice(0, 8);
        return dumpConfiguration({ place, configuration, attempt }, backupId, await read());
      });
      log.info('Configuration stored', { backupId, bytes: object.plainBytes });
      return {
        purpose: 'component',
        ...{ backupId, traceparent },
        part: 'configuration',
        work: { item: 0, objects: [object] },
      };
    };
  },
});
