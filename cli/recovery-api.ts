import * as z from 'zod';
import {
  type BackupState,
  backupSchema,
  backupSummarySchema,
  operationSchema,
} from '../functions/recovery/model.ts';
import { type Restore, restoreSchema } from '../functions/recovery/restore/model.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-errors.ts';

const root = '/api/disaster-recovery';
const backupPageSchema = z.object({ backups: z.array(backupSummarySchema) });
const restorePageSchema = z.object({ restores: z.array(restoreSchema) });

/** What a restore is asked for. */
export interface RestoreRequest {
  backupId: string;
  shards?: string[];
  tables?: string[];
  mode?: 'new' | 'replace';
  database?: string;
  dryRun?: boolean;
}

/** The calls of the recovery capability that an operator makes, each by its name. */
export class RecoveryApi {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  startBackup(shards?: readonly string[]) {
    return this.#api.call('POST', `${root}/backup`, backupSchema, shards === undefined ? {} : { shards });
  }

  backup(id: string) {
    return this.#api.call('GET', backupPath(id), backupSchema);
  }

  /** The latest backups, newest first. */
  async backups(limit: number, state?: BackupState) {
    const query = new URLSearchParams({ limit: String(limit), ...(state === undefined ? {} : { state }) });
    return (await this.#api.call('GET', `${root}/backups?${query}`, backupPageSchema)).backups;
  }

  /** Whether a backup is known; one that is deleted is not, once nothing is left of it. */
  async hasBackup(id: string): Promise<boolean> {
    try {
      await this.backup(id);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }

  followBackup(id: string, show: (backup: z.output<typeof backupSchema>) => void) {
    return this.#api.follow(backupPath(id), backupSchema, show);
  }

  cancelBackup(id: string) {
    return this.#api.call('POST', `${backupPath(id)}/cancel`, backupSchema);
  }

  deleteBackup(id: string) {
    return this.#api.call('DELETE', `${root}/backup/${encodeURIComponent(id)}`, backupSchema);
  }

  /** Reads a stored backup back: all of it, or the hashes of its objects only. */
  startVerification(backupId: string, what: 'all' | 'hashes' = 'all') {
    const route = what === 'all' ? 'verify' : 'verify-hash';
    return this.#api.call('POST', `${root}/encryption/${route}`, operationSchema, { backupId });
  }

  followVerification(id: string, show: (operation: z.output<typeof operationSchema>) => void) {
    return this.#api.follow(operationPath(id), operationSchema, show);
  }

  cancelVerification(id: string) {
    return this.#api.call('POST', `${operationPath(id)}/cancel`, operationSchema);
  }

  startRestore(request: RestoreRequest) {
    return this.#api.call('POST', `${root}/restore`, restoreSchema, request);
  }

  restore(id: string) {
    return this.#api.call('GET', restorePath(id), restoreSchema);
  }

  /** The latest restores, newest first. */
  async restores(limit: number): Promise<Restore[]> {
    return (await this.#api.call('GET', `${root}/restores?limit=${limit}`, restorePageSchema)).restores;
  }

  followRestore(id: string, show: (restore: z.output<typeof restoreSchema>) => void) {
    return this.#api.follow(restorePath(id), restoreSchema, show);
  }

  cancelRestore(id: string) {
    return this.#api.call('POST', `${restorePath(id)}/cancel`, restoreSchema);
  }

  resumeRestore(id: string) {
    return this.#api.call('POST', `${restorePath(id)}/resume`, restoreSchema);
  }
}

const backupPath = (id: string) => `${root}/backups/${encodeURIComponent(id)}`;
const operationPath = (id: string) => `${root}/encryption/operations/${encodeURIComponent(id)}`;
const restorePath = (id: string) => `${root}/restore/${encodeURIComponent(id)}`;
