import { Stack } from 'aws-cdk-lib';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { CdnProps } from './cdn.ts';
import { cachePolicies } from './provider.ts';

/** Lets a function make URLs of files: read what they are, sign for the origin and for the edge. */
export function grantAssets(fn: BundledFunction, { settings, stateful, distribution }: CdnProps): void {
  const { config } = settings;
  const { assets } = stateful.buckets;
  const files = assets.arnForObjects('*');
  fn.allow(['s3:GetObject'], [files]);
  // Without it S3 does not say that a file is not there.
  fn.allow(['s3:ListBucket'], [assets.bucketArn]);
  acknowledgeResource(
    fn.policies,
    files,
    'Any file of the assets bucket may be asked for; the bucket holds nothing but what the edge serves.',
  );
  fn.addEnvironment('ASSETS_BUCKET', assets.bucketName);
  fn.addEnvironment('CACHE_POLICIES', JSON.stringify(cachePolicies(config, distribution)));
  fn.addEnvironment('PURGES_CHANGED_CONTENT', String(config.cdn.purgeChangedContent));
  const { signing } = config.cdn;
  if (signing === undefined) {
    fn.addEnvironment('CDN_SIGNING', 'null');
    return;
  }
  const { privateKeySecretArn } = signing;
  const publicKeyId = signing.publicKeyId ?? distribution?.signingKeyId;
  fn.addEnvironment('CDN_SIGNING', Stack.of(fn).toJsonString({ publicKeyId, privateKeySecretArn }));
  fn.allow(['secretsmanager:GetSecretValue'], [privateKeySecretArn]);
}
