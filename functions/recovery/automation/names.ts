/** Names of the schedules in the deployment's group, by what they start. */
export const scheduleNames = { full: 'full-backup-daily', incremental: 'incremental-backup' } as const;
export type ScheduledType = keyof typeof scheduleNames;
