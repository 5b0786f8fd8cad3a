import { Stack } from 'aws-cdk-lib';
import type { KeySource } from '../../functions/recovery/keys/key-source.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** Functions that make messages, or authenticate manifests. */
const wrapping = [
  ...(['hold-snapshot', 'dump-schema', 'chunk-pipeline', 'commit'] as const),
  ...(['plan-files', 'copy-files', 'dump-configuration'] as const),
  ...(['import-segment', 'commit-import'] as const),
  ...(['reencrypt-backup', 'reencrypt-objects'] as const),
];
/** Functions that open backups, and may read the passphrase to prove it. Those in the network cannot. */
const proving = [
  'plan-verification',
  'verify-chunk',
  'plan-restore',
  'restore-import',
  'plan-drill',
  'reencrypt-backup',
  'reencrypt-objects',
] as const;
/** Functions that open backups by the wrapping keys that are kept. */
const opening = [
  'plan-restore',
  'restore-import',
  'plan-drill',
  'restore-database',
  'restore-rows',
  'restore-files',
] as const;

/** Lets functions use the other keys that open backups: the escrow, and replicas in a standby region. */
export function grantOtherKeys({ functions }: Recovery, props: RecoveryProps): void {
  const { escrow } = props.stateful;
  const sources: KeySource[] = ['kms'];
  if (escrow !== undefined) {
    sources.push('escrow');
    escrow.grantDerive(functions['derive-escrow']);
    for (const name of new Set([...wrapping, ...opening])) escrow.grantOpen(functions[name]);
    for (const name of proving) escrow.grantPassphrase(functions[name]);
  } else props.stateful.buckets.backups.grantProbe(functions['derive-escrow']);
  if (props.standby !== undefined) {
    sources.push('replica');
    grantReplicas(functions['verify-chunk'], props, 'encryption', 'kms:Decrypt');
    grantReplicas(functions['plan-verification'], props, 'hmac', 'kms:VerifyMac');
    grantReplicas(functions['reencrypt-objects'], props, 'encryption', 'kms:Decrypt');
    grantReplicas(functions['reencrypt-backup'], props, 'hmac', 'kms:VerifyMac');
  }
  grantAdoption(functions, props);
  functions.api.addEnvironment('KEY_SOURCES', sources.join(' '));
}

/** Lets a function read the copies of backups, and use the replica of a key beside them; tells it where they are. */
function grantReplicas(
  fn: BundledFunction,
  { stateful, standby }: RecoveryProps,
  key: 'encryption' | 'hmac',
  action: 'kms:Decrypt' | 'kms:VerifyMac',
): void {
  if (standby === undefined) return;
  const { region, vault } = standby;
  const { partition, account } = Stack.of(fn);
  const replica = (id: string) => `arn:${partition}:kms:${region}:${account}:key/${id}`;
  const objects = vault.bucket.arnForObjects('*');
  fn.allow(['s3:GetObject', 's3:GetObjectVersion'], [objects]);
  fn.allow(['s3:ListBucket'], [vault.bucket.bucketArn]);
  fn.allow([action], [replica(stateful.keys[key].keyId)]);
  // S3 opens the copies by the replica of the backups' key.
  if (key === 'hmac') {
    fn.allowWhere(['kms:Decrypt'], [replica(stateful.keys.encryption.keyId)], {
      StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
    });
  }
  acknowledgeResource(
    fn.policies,
    objects,
    'The copies of backups in this one bucket. Their keys contain the id of the backup.',
  );
  fn.addEnvironment('STANDBY_REGION', region);
  fn.addEnvironment('VAULT_BUCKET', vault.bucket.bucketName);
}

/**
 * Lets the two functions that store backups anew read another deployment's copies, and use the replicas of its keys: each the one
 * that it needs.
 */
function grantAdoption(functions: Recovery['functions'], { settings }: RecoveryProps): void {
  const { adopt } = settings.config.backup;
  if (adopt === undefined) return;
  const { bucket, encryptionKeyArn, hmacKeyArn } = adopt;
  functions.api.addEnvironment('ADOPT_BUCKET', bucket);
  const reading = [
    { fn: functions['reencrypt-objects'], key: encryptionKeyArn, action: 'kms:Decrypt' },
    { fn: functions['reencrypt-backup'], key: hmacKeyArn, action: 'kms:VerifyMac' },
  ];
  for (const { fn, key, action } of reading) {
    const { partition } = Stack.of(fn);
    const objects = `arn:${partition}:s3:::${bucket}/backups/*`;
    fn.allow(['s3:GetObject', 's3:GetObjectVersion'], [objects]);
    fn.allow(['s3:ListBucket'], [`arn:${partition}:s3:::${bucket}`]);
    fn.allow([action], [key]);
    fn.addEnvironment('ADOPT_BUCKET', bucket);
    fn.addEnvironment('ADOPT_KEY_ARN', key);
    acknowledgeResource(
      fn.policies,
      objects,
      'The copies of another deployment’s backups in this one bucket. Their keys contain the id of the backup.',
    );
  }
  // S3 opens the copies by the replica of the key of backups.
  functions['reencrypt-backup'].allowWhere(['kms:Decrypt'], [encryptionKeyArn], {
    StringEquals: { 'kms:ViaService': `s3.${encryptionKeyArn.split(':')[3]}.amazonaws.com` },
  });
}
