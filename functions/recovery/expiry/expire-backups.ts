import type { Logger } from '@aws-lambda-powertools/logger';
import type { RuleStore } from '../automation/rule-store.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { BackupId } from '../ids.ts';
import { stragglersUntil } from '../stragglers.ts';
import { coverOf, type Decision, decide, type KeptBackup } from './keep.ts';

export interface ExpiryDependencies {
  readonly catalog: BackupCatalog;
  readonly restores: RestoreCatalog;
  readonly rules: RuleStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Called for a backup that has expired, before its sweep is noted; once, or again after a crash in between. */
  readonly onExpired: (record: BackupRecord) => Promise<void>;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

export interface ExpiryResult {
  readonly expired: BackupId[];
  /** Completed backups that are kept. */
  readonly kept: number;
  /** The clock is behind what has happened already: nothing expires by it. */
  readonly refused: boolean;
  /** Not all of it was done in time; the next run goes on. */
  readonly remaining: boolean;
}

const pageSize = 100;
/** Restores that are looked at, newest first; one can be resumed for a day. */
const restoresSeen = 200;
/** Kept back to end in order. */
const endMs = 20_000;

/**
 * Marks completed backups as expired that nothing keeps any more, and has each swept. What a run before this one has
 * left half done is finished first. Two runs at once do no harm: every step is done again without a change.
 *
 * @throws DependencyError
 */
export async function expireBackups(deps: ExpiryDependencies): Promise<ExpiryResult> {
  const { catalog, rules, clock, log } = deps;
  const records = await allBackups(catalog);
  for (const record of records) await resume(deps, record);

  const now = clock.now();
  const latest = Math.max(0, ...records.flatMap(({ finishedAt }) => finishedAt ?? []).map(Date.parse));
  const completed = records.filter(({ state }) => state === 'completed');
  if (now < latest) {
    log.warn('Nothing expires: the clock is behind the end of a backup', {
      now: isoTime(now),
      latest: isoTime(latest),
    });
    return { expired: [], kept: completed.length, refused: true, remaining: false };
  }
  const { rule } = await rules.get();
  const world = { records, restoring: await backupsBeingRestored(deps.restores, now) };
  const first = decide(toKept(completed, world), rule, now);
  // The list may be a moment old: what goes, and what it goes because of, is read again, and decided again.
  const doubtful = first.filter(({ reasons }) => reasons.length === 0 || reasons.includes('newest'));
  if (!doubtful.some(expires)) return nothingDone(completed.length);
  const stale = new Set(doubtful.map(({ id }) => id));
  const fresh: BackupRecord[] = [];
  for (const record of completed) {
    const present = stale.has(record.id) ? await catalog.get(record.id) : record;
    if (present?.state === 'completed') fresh.push(present);
  }
  const second = decide(toKept(fresh, world), rule, now);
  const goes = new Set(first.filter(expires).map(({ id }) => id));

  const expired: BackupId[] = [];
  let remaining = false;
  for (const { id } of second.filter(expires).reverse()) {
    if (!goes.has(id)) continue;
    remaining = deps.remainingMs() < endMs;
    if (remaining) break;
    if (!(await catalog.expire(id))) continue;
    expired.push(id);
    log.info('Backup expired', { backupId: id });
    const record = await catalog.get(id);
    if (record !== undefined) await resume(deps, record);
  }
  return { expired, kept: fresh.length - expired.length, refused: false, remaining };
}

const expires = ({ reasons }: Decision): boolean => reasons.length === 0;
const nothingDone = (kept: number): ExpiryResult => ({ expired: [], kept, refused: false, remaining: false });

/** The note of the sweep is the last thing that expiring and deleting do: where it is missing, they were cut short. */
async function resume({ catalog, onExpired }: ExpiryDependencies, record: BackupRecord): Promise<void> {
  const { id, state } = record;
  if (state !== 'expired' && state !== 'deleting') return;
  if ((await catalog.sweepOf(id)) !== undefined) return;
  // The list may be a moment old, and the backup gone.
  const present = await catalog.get(id);
  if (present?.state !== state) return;
  if (state === 'expired') await onExpired(present);
  const { finishedAt } = present;
  const until = state === 'expired' || finishedAt === undefined ? 0 : stragglersUntil(Date.parse(finishedAt));
  await catalog.sweepNeeded(id, until);
}

async function allBackups(catalog: BackupCatalog): Promise<BackupRecord[]> {
  const all: BackupRecord[] = [];
  let before: string | undefined;
  do {
    const { backups, next } = await catalog.list(pageSize, before);
    all.push(...backups);
    before = next;
  } while (before !== undefined);
  return all;
}

/** Backups that a restore reads, or that one may be resumed of; by the index, which may be a moment old. */
export async function backupsBeingRestored(restores: RestoreCatalog, now: number): Promise<Set<BackupId>> {
  const { restores: found } = await restores.list(restoresSeen);
  return new Set(
    found
      .filter(
        ({ state, resumableUntil }) =>
          state === 'queued' ||
          state === 'running' ||
          (resumableUntil !== undefined && Date.parse(resumableUntil) > now),
      )
      .flatMap(({ backupId }) => (backupId === undefined ? [] : [backupId])),
  );
}

interface World {
  readonly records: readonly BackupRecord[];
  readonly restoring: ReadonlySet<BackupId>;
}

function toKept(completed: readonly BackupRecord[], { records, restoring }: World): KeptBackup[] {
  const atWork = new Set(
    records.filter(({ state }) => state === 'queued' || state === 'running').map(({ id }) => id),
  );
  return completed.map((record) => ({
    id: record.id,
    createdAt: Date.parse(record.createdAt),
    // Of an import whoever brought it decides, of all others that nobody has decided about the rule.
    keptBy:
      record.keptBy ?? (record.keepUntil === undefined && record.type !== 'import' ? 'rule' : 'request'),
    keepUntil: timeOf(record.keepUntil),
    lockedUntil: timeOf(record.lockedUntil),
    covers: coverOf(record),
    damaged: (record.verification?.findings ?? 0) > 0,
    referredToByWork: record.dependents.some((dependent) => atWork.has(dependent)),
    restoring: restoring.has(record.id),
  }));
}

const timeOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);
