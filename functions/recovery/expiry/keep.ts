import type { Rule } from '../automation/model.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { BackupId } from '../ids.ts';
import { daysAfter, spanOf, spans } from './calendar.ts';

/**
 * Why a backup is kept. `recent`: it is not as old yet as was promised. `weekly`, `monthly`, `yearly`: it is the newest of
 * a span that the rule keeps. `pinned`: it was asked for without an end. `locked`: Object Lock holds it. `newest`: of
 * something that it holds there is no newer good backup. `dependents`: a backup that refers to it is at work.
 * `restoring`: a restore reads it.
 */
export type KeepReason =
  | 'recent'
  | 'weekly'
  | 'monthly'
  | 'yearly'
  | 'pinned'
  | 'locked'
  | 'newest'
  | 'dependents'
  | 'restoring';

/** What retention has to know of a completed backup. Times are milliseconds since the epoch. */
export interface KeptBackup {
  readonly id: BackupId;
  readonly createdAt: number;
  /** Who decided how long it is kept: the rule, or whoever asked for it. */
  readonly keptBy: 'rule' | 'request';
  /** It is kept at least until then; absent: without an end when `keptBy` is `request`. */
  readonly keepUntil: number | undefined;
  readonly lockedUntil: number | undefined;
  /** What it is a backup of, in whole: shards and components. Newer ones replace it for these alone. */
  readonly covers: readonly string[];
  /** A verification found it damaged. */
  readonly damaged: boolean;
  /** A backup that refers to it is at work. */
  readonly referredToByWork: boolean;
  /** A restore reads it, or may be resumed. */
  readonly restoring: boolean;
}

export interface Decision {
  readonly id: BackupId;
  /** Empty: it expires. In a fixed order. */
  readonly reasons: readonly KeepReason[];
}

export type RetentionRule = Pick<Rule, 'retentionDays' | 'keep'>;

/**
 * Which completed backups are kept and why, newest first; those without a reason expire. With the same backups, what
 * expires at one time expires at every later one.
 *
 * @param rule absent: there is no automation; promises that were made still hold.
 */
export function decide(
  backups: readonly KeptBackup[],
  rule: RetentionRule | undefined,
  now: number,
): Decision[] {
  const sorted = [...backups].sort(newestFirst);
  const good = sorted.filter(({ createdAt, damaged }) => createdAt <= now && !damaged);
  const newest = newestOf(good, ({ covers }) => covers);
  const spanned = spans.map((span) => {
    const byRule = good.filter(({ keptBy }) => keptBy === 'rule');
    return newestOf(byRule, ({ covers, createdAt }) =>
      covers.map((what) => `${what}#${spanOf(span, createdAt)}`),
    );
  });

  return sorted.map((backup) => {
    const reasons: KeepReason[] = [];
    const until = keptUntil(backup, rule);
    if (until === undefined) reasons.push('pinned');
    else if (now < until || now < backup.createdAt) reasons.push('recent');
    for (const [index, span] of spans.entries()) {
      const count = rule?.keep[span] ?? 0;
      const age = spanOf(span, now) - spanOf(span, backup.createdAt);
      if (count > 0 && age <= count && spanned[index]?.has(backup.id)) reasons.push(span);
    }
    if (backup.lockedUntil !== undefined && now < backup.lockedUntil) reasons.push('locked');
    if (newest.has(backup.id)) reasons.push('newest');
    if (backup.referredToByWork) reasons.push('dependents');
    if (backup.restoring) reasons.push('restoring');
    return { id: backup.id, reasons };
  });
}

/** Until when a backup is kept whatever comes; nothing: without an end. A longer rule counts for older backups too. */
function keptUntil(
  { keptBy, keepUntil, createdAt }: KeptBackup,
  rule: RetentionRule | undefined,
): number | undefined {
  if (keptBy === 'request' || rule === undefined) return keepUntil;
  return Math.max(keepUntil ?? createdAt, daysAfter(createdAt, rule.retentionDays));
}

/** The first of each group; a backup may be in several. */
function newestOf(
  sorted: readonly KeptBackup[],
  groups: (backup: KeptBackup) => readonly string[],
): Set<BackupId> {
  const first = new Map<string, BackupId>();
  for (const backup of sorted) {
    for (const group of groups(backup)) if (!first.has(group)) first.set(group, backup.id);
  }
  return new Set(first.values());
}

function newestFirst(a: KeptBackup, b: KeptBackup): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}

/**
 * What a backup holds in whole. A dump that was made elsewhere is nothing that the next backup replaces, and a tenant's
 * backup nothing that replaces another one.
 */
export function coverOf({
  type,
  tenant,
  components,
  shards,
}: Pick<BackupRecord, 'type' | 'tenant' | 'components' | 'shards'>): string[] {
  if (type === 'import' || tenant !== undefined) return [];
  return components.flatMap((component) =>
    component === 'database' ? shards.map((shard) => `database/${shard}`) : [component],
  );
}
