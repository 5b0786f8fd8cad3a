import type { RestResponse } from '../../aws/api.ts';
import { S3Error } from '../errors.ts';
import type { Bucket, CorsRule, PublicAccessBlock } from '../model.ts';
import { xmlAnswer } from './answers.ts';
import type { S3Call } from './call.ts';
import { lifecycleRuleElement } from './lifecycle-xml.ts';
import { tagSet } from './tags.ts';
import { document, element, field } from './xml.ts';

/** GetBucketVersioning. A bucket that never had versions has no status. */
export function getBucketVersioning(call: S3Call): RestResponse {
  const bucket = authorized(call, 's3:GetBucketVersioning');
  return xmlAnswer(document('VersioningConfiguration', field('Status', bucket.versioning)));
}

/** GetBucketPolicy: the only answer of S3 in JSON. */
export function getBucketPolicy(call: S3Call): RestResponse {
  const { policy } = authorized(call, 's3:GetBucketPolicy');
  if (!policy) throw missing('NoSuchBucketPolicy', 'The bucket policy does not exist');
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(policy) };
}

/** GetBucketEncryption. */
export function getBucketEncryption(call: S3Call): RestResponse {
  const { encryption } = authorized(call, 's3:GetEncryptionConfiguration');
  const rule = element(
    'Rule',
    element(
      'ApplyServerSideEncryptionByDefault',
      field('SSEAlgorithm', encryption.algorithm),
      field('KMSMasterKeyID', encryption.keyArn),
    ),
    field('BucketKeyEnabled', encryption.bucketKey ?? false),
  );
  return xmlAnswer(document('ServerSideEncryptionConfiguration', rule));
}

/** GetObjectLockConfiguration. */
export function getObjectLockConfiguration(call: S3Call): RestResponse {
  const { objectLock, defaultRetention } = authorized(call, 's3:GetBucketObjectLockConfiguration');
  if (!objectLock) {
    throw missing(
      'ObjectLockConfigurationNotFoundError',
      'Object Lock configuration does not exist for this bucket',
    );
  }
  const rule =
    defaultRetention &&
    element(
      'Rule',
      element(
        'DefaultRetention',
        field('Mode', defaultRetention.mode),
        field('Days', defaultRetention.days),
        field('Years', defaultRetention.years),
      ),
    );
  return xmlAnswer(document('ObjectLockConfiguration', field('ObjectLockEnabled', 'Enabled'), rule ?? ''));
}

/** GetBucketLifecycleConfiguration. */
export function getBucketLifecycleConfiguration(call: S3Call): RestResponse {
  const { lifecycle = [] } = authorized(call, 's3:GetLifecycleConfiguration');
  if (lifecycle.length === 0) {
    throw missing('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist');
  }
  return xmlAnswer(document('LifecycleConfiguration', ...lifecycle.map(lifecycleRuleElement)), {
    'x-amz-transition-default-minimum-object-size': 'all_storage_classes_128K',
  });
}

/** GetPublicAccessBlock. */
export function getPublicAccessBlock(call: S3Call): RestResponse {
  const block: PublicAccessBlock = authorized(call, 's3:GetBucketPublicAccessBlock').publicAccessBlock;
  return xmlAnswer(
    document(
      'PublicAccessBlockConfiguration',
      field('BlockPublicAcls', block.blockPublicAcls),
      field('IgnorePublicAcls', block.ignorePublicAcls),
      field('BlockPublicPolicy', block.blockPublicPolicy),
      field('RestrictPublicBuckets', block.restrictPublicBuckets),
    ),
  );
}

/** GetBucketOwnershipControls. */
export function getBucketOwnershipControls(call: S3Call): RestResponse {
  const { ownership } = authorized(call, 's3:GetBucketOwnershipControls');
  return xmlAnswer(document('OwnershipControls', element('Rule', field('ObjectOwnership', ownership))));
}

/** GetBucketNotificationConfiguration. */
export function getBucketNotificationConfiguration(call: S3Call): RestResponse {
  const { eventBridge } = authorized(call, 's3:GetBucketNotification');
  return xmlAnswer(
    document('NotificationConfiguration', eventBridge ? element('EventBridgeConfiguration') : ''),
  );
}

/** GetBucketTagging. */
export function getBucketTagging(call: S3Call): RestResponse {
  const { tags = {} } = authorized(call, 's3:GetBucketTagging');
  if (Object.keys(tags).length === 0) throw missing('NoSuchTagSet', 'The TagSet does not exist');
  return xmlAnswer(document('Tagging', tagSet(tags)));
}

/** GetBucketCors. */
export function getBucketCors(call: S3Call): RestResponse {
  const { cors = [] } = authorized(call, 's3:GetBucketCORS');
  if (cors.length === 0) {
    throw missing('NoSuchCORSConfiguration', 'The CORS configuration does not exist');
  }
  return xmlAnswer(document('CORSConfiguration', ...cors.map(corsRuleElement)));
}

function corsRuleElement(rule: CorsRule): string {
  return element(
    'CORSRule',
    field('ID', rule.id),
    ...(rule.allowedHeaders ?? []).map((header) => field('AllowedHeader', header)),
    ...rule.allowedMethods.map((method) => field('AllowedMethod', method)),
    ...rule.allowedOrigins.map((origin) => field('AllowedOrigin', origin)),
    ...(rule.exposeHeaders ?? []).map((header) => field('ExposeHeader', header)),
    field('MaxAgeSeconds', rule.maxAgeSeconds),
  );
}

function authorized(call: S3Call, action: string): Bucket {
  const bucket = call.bucket();
  call.authorize(action, call.bucketArn);
  return bucket;
}

function missing(code: string, message: string): S3Error {
  return new S3Error(code, message, 404);
}
