import { monitoringContract } from '../functions/monitoring/contract.ts';
import type { Backup, BackupSummary } from '../functions/recovery/model.ts';
import type { Restore } from '../functions/recovery/restore/model.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-errors.ts';
import { RecoveryApi } from './recovery-api.ts';

const { health, ready } = monitoringContract.routes;
const healthSchema = health.responses[200].schema;
const readinessSchema = ready.responses[200].schema;
type Readiness = typeof readinessSchema._output;

/** What `mainstay status` shows. */
export interface PlatformStatus {
  url: string;
  environment: string;
  version: string;
  /** Whether every dependency answers. */
  healthy: boolean;
  dependencies: Readiness['dependencies'];
  /** The latest, newest first. */
  backups: BackupSummary[];
  running: { backups: Backup[]; restores: Restore[] };
}

/** Asks a platform how it is. */
export async function readStatus(client: ApiClient, url: string): Promise<PlatformStatus> {
  const api = new RecoveryApi(client);
  const [{ environment, version }, { status, dependencies }] = await Promise.all([
    client.call('GET', health.path, healthSchema),
    readiness(client),
  ]);
  const [backups, running, restores] = await Promise.all([
    api.backups(5),
    runningBackups(api),
    runningRestores(api),
  ]);
  const healthy = status === 'ready';
  return {
    url,
    environment,
    version,
    healthy,
    dependencies,
    backups,
    running: { backups: running, restores },
  };
}

/** The answer 503 lists the dependencies as well. */
async function readiness(client: ApiClient): Promise<Readiness> {
  try {
    return await client.call('GET', ready.path, readinessSchema);
  } catch (error) {
    const unready = error instanceof ApiError ? readinessSchema.safeParse(error.problem).data : undefined;
    if (unready === undefined) throw error;
    return unready;
  }
}

async function runningBackups(api: RecoveryApi): Promise<Backup[]> {
  const pages = await Promise.all([api.backups(20, 'running'), api.backups(20, 'queued')]);
  return Promise.all(pages.flat().map(({ id }) => api.backup(id)));
}

async function runningRestores(api: RecoveryApi): Promise<Restore[]> {
  const restores = await api.restores(20);
  return restores.filter(({ state }) => state === 'queued' || state === 'running');
}
