import type { Restore } from '../../functions/recovery/restore/model.ts';
import type { Outcome } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { formatDuration } from '../units.ts';
import { endedText } from '../views/ended.ts';
import { formatInstant } from '../views/instant.ts';
import { planText, remarksText, restoreTable } from '../views/restore-tables.ts';
import { watchRestore } from '../work-bars.ts';

/** Shows a restore until it has ended, and then what came of it. */
export async function followRestore(session: Session, id: string): Promise<Outcome> {
  const work = {
    name: `The restore ${id}`,
    cancel: session.command(`restore --cancel ${id}`),
    follow: session.command(`restore --follow ${id}`),
  };
  const ended = await session.io.interruption.during(work, () =>
    watchRestore(session.api, id, { output: session.progress, title: 'restore' }),
  );
  session.result(ended, () => textOf(ended));
  const problem = problemOf(ended, session);
  if (problem === undefined) return 'done';
  session.complain(problem);
  return 'failed';
}

function problemOf(restore: Restore, session: Session) {
  const { id, state, resumableUntil, dryRun, plan, identical } = restore;
  if (state !== 'completed') {
    const said = endedText(`The restore ${id}`, restore, 'nothing of it is kept');
    if (state !== 'failed' || resumableUntil === null) return said;
    const resume = session.command(`restore --resume ${id}`);
    return `${said}\nIt can be resumed until ${formatInstant(resumableUntil)} UTC: ${resume}`;
  }
  if (dryRun) {
    return plan?.conflicts.length === 0 ? undefined : 'As things are, it would not succeed.';
  }
  return identical === false ? 'What was restored is not identical to the backup.' : undefined;
}

function textOf(restore: Restore): string {
  const { id, state, dryRun, plan, identical, durationMs, safetyBackupId, progress } = restore;
  if (state === 'completed' && dryRun) return plan === null ? '  Nothing to restore.' : planText(plan);
  const remarks = remarksText(restore);
  const outcome =
    state === 'completed'
      ? `complete in ${formatDuration(durationMs ?? 0)}${identical === true ? ', identical to the backup' : ''}`
      : state;
  return [
    ...(progress.bytesRestored === 0 || state === 'canceled' ? [] : [`\n${restoreTable(restore)}\n`]),
    ...(remarks === '' ? [] : [remarks]),
    ...(safetyBackupId === null ? [] : [`  what was replaced is in the backup ${safetyBackupId}`]),
    `  restore ${id}: ${outcome}`,
  ].join('\n');
}
