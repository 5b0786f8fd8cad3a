import type { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { startExecution } from '../backup-requests.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { backupIdSchema } from '../ids.ts';
import { uploadKey } from '../objects/object-keys.ts';
import type { ImportInput, uploadedEventSchema } from './events.ts';

export interface StartOnUploadDependencies {
  readonly catalog: BackupCatalog;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
}

/**
 * Starts the import of what was uploaded. The execution is called as the backup is, so that an event that comes twice, or
 * a second upload by the same URL, starts nothing twice; the version that the first event names is the one that is
 * imported. An upload that belongs to no waiting import is left to the bucket's lifecycle.
 *
 * @throws DependencyError
 */
export async function startOnUpload(
  { catalog, stepFunctions, stateMachineArn }: StartOnUploadDependencies,
  { detail: { object } }: z.output<typeof uploadedEventSchema>,
): Promise<'started' | 'nothing-to-do'> {
  const id = backupIdSchema.safeParse(object.key.replace(/^uploads\//, '')).data;
  if (id === undefined || object.key !== uploadKey(id)) return 'nothing-to-do';
  const record = await catalog.get(id);
  if (record?.import === undefined || record.state !== 'queued' || record.cancelRequested) {
    return 'nothing-to-do';
  }
  const input: ImportInput = {
    traceparent: record.traceparent,
    upload: { key: object.key, versionId: object['version-id'] ?? null },
  };
  const executionArn = await startExecution(stepFunctions, stateMachineArn, id, input);
  if (executionArn === undefined) return 'nothing-to-do';
  await catalog.setExecution(id, executionArn);
  return 'started';
}
