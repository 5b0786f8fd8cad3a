import { expect } from '@jest/globals';
import {
  type Backup,
  backupSchema,
  type Operation,
  operationSchema,
} from '../../../functions/recovery/model.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ApiClient } from './api.ts';

export const root = '/api/disaster-recovery';

/** Asks for a backup, a full one unless `body` says otherwise, and returns its id. */
export async function startBackup(call: ApiClient, body: object = {}): Promise<string> {
  const answer = await call('POST', `${root}/backup`, {
    body: { type: 'full', components: ['database'], ...body },
  });
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
  const { id } = backupSchema.parse(answer.body);
  expect(answer.headers.get('location')).toBe(`${root}/backups/${id}`);
  return id;
}

export async function readBackup(call: ApiClient, id: string): Promise<Backup> {
  const { status, body } = await call('GET', `${root}/backups/${id}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return backupSchema.parse(body);
}

/** Waits until a backup has ended one way or another. */
export function backupEnded(call: ApiClient, id: string, timeoutMs = 90_000): Promise<Backup> {
  return waitFor(
    async () => {
      const backup = await readBackup(call, id);
      return ['completed', 'failed', 'canceled'].includes(backup.state) && backup;
    },
    { what: `the backup ${id} to end`, timeoutMs, intervalMs: 500 },
  );
}

/** Takes a backup that has to succeed. */
export async function takeBackup(call: ApiClient, body: object = {}): Promise<Backup> {
  const backup = await backupEnded(call, await startBackup(call, body));
  expect({ state: backup.state, error: backup.error }).toEqual({ state: 'completed', error: null });
  return backup;
}

/** Verifies a stored backup, and waits for the result. */
export const verifyBackup = (
  call: ApiClient,
  backupId: string,
  kind: 'verify' | 'verify-hash' = 'verify',
): Promise<Operation> => operationOn(call, backupId, kind);

/** Has something done with a stored backup, and waits for the result. */
export async function operationOn(
  call: ApiClient,
  backupId: string,
  kind: 'verify' | 'verify-hash' | 'encrypt',
): Promise<Operation> {
  const answer = await call('POST', `${root}/encryption/${kind}`, { body: { backupId } });
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 202 });
  const location = answer.headers.get('location') ?? '';
  return waitFor(
    async () => {
      const operation = operationSchema.parse((await call('GET', location)).body);
      return ['completed', 'failed', 'canceled'].includes(operation.state) && operation;
    },
    { what: `the operation at ${location} to end`, intervalMs: 250 },
  );
}
