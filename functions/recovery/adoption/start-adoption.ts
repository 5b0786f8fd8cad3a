import type { SFNClient } from '@aws-sdk/client-sfn';
import { Problem } from '../../shared/problem.ts';
import { backupPath, operationPath } from '../api-problems.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { isAtWork, type OperationCatalog, type OperationRecord } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { type BackupId, backupIdSchema, operationIdSchema } from '../ids.ts';
import type { ReencryptionInput } from '../reencryption/events.ts';
import { startOperation } from '../start-operation.ts';
import type { Adoptions } from './adoptions.ts';

export interface AdoptionStartDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly adoptions: Adoptions;
  readonly stepFunctions: SFNClient;
  /** The workflow of re-encryptions, which stores what is adopted. */
  readonly reencryptionStateMachineArn: string;
  readonly clock: Clock;
}

export interface AdoptionRequest extends Pick<OperationRecord, 'id' | 'traceparent'> {
  /** As the vault has it. */
  readonly backupId: BackupId;
  readonly requestedBy: string;
}

/** The backup that an operation makes of one in the vault has the operation's id: each try is another backup. */
export const adoptedId = ({ id }: Pick<AdoptionRequest, 'id'>): BackupId => backupIdSchema.parse(id);

/**
 * Starts the adoption of a backup. Asked again with the id of one that exists, it starts nothing new, and finishes what was
 * cut short. What the vault holds is found out by the workflow.
 *
 * @throws Problem 409 when it was adopted before, or is at the moment: nothing was started. DependencyError: the operation
 * has failed.
 */
export async function startAdoption(
  deps: AdoptionStartDependencies,
  { id, backupId: adoptedFrom, requestedBy, traceparent }: AdoptionRequest,
): Promise<void> {
  const { operations, clock } = deps;
  const known = await operations.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  const backupId = adoptedId({ id });
  await claim(deps, adoptedFrom, backupId);
  const createdAt = isoTime(clock.now());
  const keys = 'vault';
  await operations.create({
    ...{ id, kind: 'adopt', backupId, adoptedFrom, keys, traceparent, requestedBy, createdAt },
  });
  const input: ReencryptionInput = { traceparent, backupId, keys, adopt: adoptedFrom };
  await startOperation(deps, deps.reencryptionStateMachineArn, id, input);
}

async function claim(
  { adoptions, catalog, operations }: AdoptionStartDependencies,
  source: BackupId,
  backupId: BackupId,
): Promise<void> {
  const other = await adoptions.of(source);
  if (other !== undefined && other !== backupId) {
    const operation = await operations.get(operationIdSchema.parse(other));
    if (operation !== undefined && isAtWork(operation)) {
      throw new Problem('conflict', `Operation ${operation.id} adopts the backup.`, {
        headers: { location: operationPath(operation.id) },
      });
    }
    const record = await catalog.get(other);
    if (record?.state === 'completed') {
      throw new Problem('conflict', `The backup was adopted before: it is ${other} here.`, {
        headers: { location: backupPath(other) },
      });
    }
  }
  if (await adoptions.claim(source, backupId, other)) return;
  throw new Problem('conflict', 'Another request adopts the backup at this moment. Send the request again.');
}
