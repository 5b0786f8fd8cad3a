import type { MaintenanceReport } from './model.ts';

/** What a person has to look at in a report: what failed, and what was to be done and is not permitted. */
export function unfinishedOf({ shard, acted, reason, tables, cleanUp }: MaintenanceReport): string[] {
  if (reason !== null) return [`${shard}: ${reason}`];
  const named = [
    ...tables.map((task) => ({ ...task, name: `${task.task} ${task.schema}.${task.table}` })),
    ...cleanUp.map((result) => ({ ...result, name: `clean-up of ${result.table}` })),
  ];
  return named
    .filter(({ outcome }) => outcome === 'failed' || (acted && outcome === 'not-permitted'))
    .map(({ name, reason: why }) => `${shard}: ${name}: ${why}`);
}
