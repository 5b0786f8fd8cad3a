import { Stack } from 'aws-cdk-lib';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** Gives the functions of files and of the configuration what they need, and nothing more. */
export function grantComponents(recovery: Recovery, props: RecoveryProps): void {
  const { functions } = recovery;
  const { buckets, keys, tables } = props.stateful;
  const { config } = props.settings;
  const planFiles = functions['plan-files'];
  const copyFiles = functions['copy-files'];
  const restoreFiles = functions['restore-files'];
  const dump = functions['dump-configuration'];

  for (const fn of [planFiles, copyFiles, dump]) {
    buckets.backups.grantRead(fn);
    buckets.backups.grantWrite(fn);
    keys.grantEncrypt(fn);
    fn.addEnvironment('COMPRESSION', config.backup.compression);
    fn.addEnvironment('COMPRESSION_LEVEL', String(config.backup.compressionLevel));
  }
  // The list of the files of an earlier backup, and its configuration, are read to be compared.
  for (const fn of [planFiles, dump]) {
    keys.grantDecrypt(fn);
    keys.grantMac(fn, ['kms:VerifyMac']);
  }

  planFiles.allow(['s3:ListBucketVersions'], [buckets.assets.bucketArn]);
  // The tags of a file are counted for those who may read them.
  grantFiles(copyFiles, props, ['s3:GetObjectVersion', 's3:GetObjectTagging', 's3:GetObjectVersionTagging']);
  buckets.backups.grantRead(restoreFiles);
  keys.grantDecrypt(restoreFiles);
  restoreFiles.allow(['s3:ListBucket'], [buckets.assets.bucketArn]);
  grantFiles(restoreFiles, props, [
    's3:GetObject',
    's3:GetObjectVersion',
    's3:PutObject',
    's3:PutObjectTagging',
    's3:AbortMultipartUpload',
  ]);
  for (const fn of [planFiles, copyFiles, restoreFiles]) {
    fn.addEnvironment('ASSETS_BUCKET', buckets.assets.bucketName);
  }

  // The list of the files of a backup is read to choose from it.
  keys.grantDecrypt(functions['plan-restore']);

  tables.access.grant(dump, ['dynamodb:Query']);
  tables.webhooks.grant(dump, ['dynamodb:Query']);
  tables.shards.grant(dump, ['dynamodb:Query']);
  tables.limits.grantItems(dump, ['dynamodb:GetItem'], ['ADDRESSES']);
  const { path } = props.stateful.configuration;
  grantParameters(dump, [path, ...config.backup.configuration.parameterPaths]);
}

function grantFiles(fn: BundledFunction, { stateful }: RecoveryProps, actions: readonly string[]): void {
  const files = stateful.buckets.assets.arnForObjects('*');
  fn.allow(actions, [files]);
  acknowledgeResource(
    fn.policies,
    files,
    'The objects of this one bucket, which holds the platform’s files and nothing else. Which ones there are is found out when it runs.',
  );
}

function grantParameters(fn: BundledFunction, paths: readonly string[]): void {
  for (const path of new Set(paths)) {
    const own = Stack.of(fn).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: path.slice(1),
    });
    const below = `${own}/*`;
    fn.allow(['ssm:GetParametersByPath'], [own, below]);
    acknowledgeResource(
      fn.policies,
      below,
      'The parameters below a path that the deployment names. Values that are encrypted are not decrypted.',
    );
  }
  fn.addEnvironment('PARAMETER_PATHS', [...new Set(paths)].join(','));
}
