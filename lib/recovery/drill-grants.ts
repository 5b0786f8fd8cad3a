import type { Recovery, RecoveryProps } from './recovery.ts';

/** Gives the functions of drills what they need beside the catalogue. */
export function grantDrills(recovery: Recovery, { settings, stateful, events }: RecoveryProps): void {
  const { functions, verifications, restores, drills } = recovery;
  const { tables, keys, shards, buckets } = stateful;
  const { drill } = settings.config.backup;
  drills.grantRun(functions.api, 'DRILL_STATE_MACHINE_ARN');

  const plan = functions['plan-drill'];
  tables.shards.grantRead(plan);
  buckets.backups.grantRead(plan);
  keys.grantMac(plan, ['kms:VerifyMac']);
  stateful.escrow?.grantOpen(plan);
  stateful.escrow?.grantPassphrase(plan);
  plan.addEnvironment('RESTORE_STATE_MACHINE_ARN', restores.arn);
  plan.addEnvironment('VERIFICATION_STATE_MACHINE_ARN', verifications.arn);

  for (const shard of shards) {
    shard.grantConnect(functions['check-drill'], 'restore');
    shard.grantConnect(functions['check-drill'], 'backup');
  }

  const conclude = functions['conclude-drill'];
  buckets.backups.grantWrite(conclude);
  events.grantPut(conclude);
  functions['restore-database'].grantInvoke(conclude, 'RESTORE_DATABASE_FUNCTION_ARN');
  restores.grantStop(conclude);
  verifications.grantStop(conclude);
  conclude.addEnvironment('ENCRYPTION_KEY_ARN', keys.encryption.keyArn);
  conclude.addEnvironment('RPO_TARGET_MINUTES', String(drill.rpoMinutes));
  conclude.addEnvironment('RTO_TARGET_MINUTES', String(drill.rtoMinutes));
}
