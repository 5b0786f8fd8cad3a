import * as z from 'zod';
import { drillSchema } from '../functions/recovery/drill/model.ts';
import { drillReportSchema } from '../functions/recovery/drill/report.ts';
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

/** What a drill is asked for. */
export interface DrillRequest {
  restorePoint?: string;
  shards?: string[];
  reuseVerification?: boolean;
  keys?: 'kms' | 'escrow';
}

/** The calls of the recovery capability that an operator makes, each by its name. */
export class RecoveryApi {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** @param type without one the platform's default, incremental. */
  startBackup(shards?: readonly string[], type?: 'full') {
    return this.#api.call('POST', `${root}/backup`, backupSchema, {
      ...(type !== undefined && { type }),
      ...(shards !== undefined && { shards }),
    });
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

  startDrill(request: DrillRequest) {
    return this.#api.call('POST', `${root}/test`, drillSchema, request);
  }

  followDrill(id: string, show: (drill: z.output<typeof drillSchema>) => void) {
    return this.#api.follow(drillPath(id), drillSchema, show);
  }

  drillReport(id: string) {
    return this.#api.call('GET', `${drillPath(id)}/report?format=json`, drillReportSchema);
  }

  cancelDrill(id: string) {
    return this.#api.call('POST', `${drillPath(id)}/cancel`, drillSchema);
  }
}

const backupPath = (id: string) => `${root}/backups/${encodeURIComponent(id)}`;
const operationPath = (id: string) => `${root}/encryption/operations/${encodeURIComponent(id)}`;
const restorePath = (id: string) => `${root}/restore/${encodeURIComponent(id)}`;
const drillPath = (id: string) => `${root}/test/${encodeURIComponent(id)}`;
