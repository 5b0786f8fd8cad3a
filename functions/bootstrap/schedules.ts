import type { SchedulerClient } from '@aws-sdk/client-scheduler';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { seedAutomation } from '../recovery/automation/automation.ts';
import { BackupSchedules, type ScheduleTarget } from '../recovery/automation/backup-schedules.ts';
import { automationBodySchema } from '../recovery/automation/model.ts';
import { RuleStore } from '../recovery/automation/rule-store.ts';
import { RecoveryTable } from '../recovery/catalog/recovery-table.ts';
import { systemClock } from '../recovery/clock.ts';
import type { AutomationProperties } from './contract.ts';

export interface AutomationPlace {
  readonly client: SchedulerClient;
  readonly target: ScheduleTarget;
  readonly dynamo: DynamoDBDocumentClient;
  /** Name of the recovery table. */
  readonly table: string;
}

/**
 * Makes the rule of backups where there never was one, and the schedules of the rule where they are missing. What is
 * there belongs to its users and is left alone, whatever it says; so is that they have removed it.
 *
 * @returns the names of schedules that were created.
 */
export async function ensureAutomation(
  { client, target, dynamo, table }: AutomationPlace,
  { Full, Incremental, RetentionDays }: AutomationProperties,
): Promise<string[]> {
  const settings = automationBodySchema.parse({
    full: Full,
    incremental: Incremental ?? null,
    retentionDays: RetentionDays,
  });
  return seedAutomation(
    {
      rules: new RuleStore(new RecoveryTable(dynamo, table)),
      schedules: new BackupSchedules(client, target),
      clock: systemClock,
    },
    settings,
  );
}
