import * as z from 'zod';
import type { BucketDefinition, LifecycleRule } from '../../s3/model.ts';
import type { S3Service } from '../../s3/s3-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const lifecycleRule = z.strictObject({
  Id: z.string().optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().optional(),
  ExpirationInDays: z.number().optional(),
  ExpiredObjectDeleteMarker: z.boolean().optional(),
  AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: z.number() }).optional(),
  NoncurrentVersionExpiration: z
    .strictObject({ NoncurrentDays: z.number(), NewerNoncurrentVersions: z.number().optional() })
    .optional(),
});

const bucketProperties = z.looseObject({
  BucketName: z.string().optional(),
  VersioningConfiguration: z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) }).optional(),
  ObjectLockEnabled: z.boolean().default(false),
  ObjectLockConfiguration: z
    .looseObject({
      Rule: z
        .object({
          DefaultRetention: z.strictObject({
            Mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
            Days: z.number().optional(),
            Years: z.number().optional(),
          }),
        })
        .optional(),
    })
    .optional(),
  BucketEncryption: z
    .object({
      ServerSideEncryptionConfiguration: z.array(
        z.looseObject({
          BucketKeyEnabled: z.boolean().optional(),
          ServerSideEncryptionByDefault: z.strictObject({
            SSEAlgorithm: z.enum(['AES256', 'aws:kms']),
            KMSMasterKeyID: z.string().optional(),
          }),
        }),
      ),
    })
    .optional(),
  LifecycleConfiguration: z.looseObject({ Rules: z.array(lifecycleRule) }).optional(),
  PublicAccessBlockConfiguration: z
    .strictObject({
      BlockPublicAcls: z.boolean().default(false),
      BlockPublicPolicy: z.boolean().default(false),
      IgnorePublicAcls: z.boolean().default(false),
      RestrictPublicBuckets: z.boolean().default(false),
    })
    .optional(),
  OwnershipControls: z
    .object({
      Rules: z.tuple([
        z.object({
          ObjectOwnership: z.enum(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']),
        }),
      ]),
    })
    .optional(),
  NotificationConfiguration: z
    .strictObject({ EventBridgeConfiguration: z.strictObject({ EventBridgeEnabled: z.boolean() }) })
    .optional(),
});

const policyProperties = z.object({
  Bucket: z.string(),
  PolicyDocument: z.record(z.string(), z.unknown()),
});

/** Buckets and their policies. */
export function s3Resources(s3: S3Service): Record<string, ResourceHandler> {
  return {
    'AWS::S3::Bucket': (request) => {
      const properties = bucketProperties.parse(request.properties);
      const name = properties.BucketName ?? physicalName(request).toLowerCase();
      const { arn } = s3.ensureBucket({ name, ...definitionOf(properties) });
      const host = `${name}.s3.amazonaws.com`;
      return { ref: name, attributes: { Arn: arn, DomainName: host, RegionalDomainName: host } };
    },
    'AWS::S3::BucketPolicy': (request) => {
      const { Bucket, PolicyDocument } = policyProperties.parse(request.properties);
      s3.setBucketPolicy(Bucket, PolicyDocument);
      return { ref: physicalName(request) };
    },
  };
}

function definitionOf(properties: z.output<typeof bucketProperties>): Omit<BucketDefinition, 'name'> {
  const retention = properties.ObjectLockConfiguration?.Rule?.DefaultRetention;
  const block = properties.PublicAccessBlockConfiguration;
  const [encryption] = properties.BucketEncryption?.ServerSideEncryptionConfiguration ?? [];
  const { KMSMasterKeyID: keyArn, SSEAlgorithm: algorithm } = encryption?.ServerSideEncryptionByDefault ?? {};
  return {
    ...(properties.VersioningConfiguration && { versioning: properties.VersioningConfiguration.Status }),
    objectLock: properties.ObjectLockEnabled,
    ...(retention && {
      defaultRetention: {
        mode: retention.Mode,
        ...(retention.Days !== undefined && { days: retention.Days }),
        ...(retention.Years !== undefined && { years: retention.Years }),
      },
    }),
    ...(algorithm && {
      encryption: { algorithm, ...(keyArn && { keyArn }), bucketKey: encryption?.BucketKeyEnabled ?? false },
    }),
    ...(block && {
      publicAccessBlock: {
        blockPublicAcls: block.BlockPublicAcls,
        blockPublicPolicy: block.BlockPublicPolicy,
        ignorePublicAcls: block.IgnorePublicAcls,
        restrictPublicBuckets: block.RestrictPublicBuckets,
      },
    }),
    ...(properties.OwnershipControls && { ownership: properties.OwnershipControls.Rules[0].ObjectOwnership }),
    lifecycle: (properties.LifecycleConfiguration?.Rules ?? []).map(ruleOf),
    eventBridge: properties.NotificationConfiguration?.EventBridgeConfiguration.EventBridgeEnabled ?? false,
  };
}

function ruleOf(rule: z.output<typeof lifecycleRule>, index: number): LifecycleRule {
  const { NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: abort } = rule;
  const expires = rule.ExpirationInDays !== undefined || rule.ExpiredObjectDeleteMarker !== undefined;
  return {
    id: rule.Id ?? `rule-${index + 1}`,
    enabled: rule.Status === 'Enabled',
    ...(rule.Prefix !== undefined && { prefix: rule.Prefix }),
    ...(expires && {
      expiration: {
        ...(rule.ExpirationInDays !== undefined && { days: rule.ExpirationInDays }),
        ...(rule.ExpiredObjectDeleteMarker !== undefined && {
          expiredObjectDeleteMarker: rule.ExpiredObjectDeleteMarker,
        }),
      },
    }),
    ...(noncurrent && {
      noncurrentVersionExpiration: {
        noncurrentDays: noncurrent.NoncurrentDays,
        ...(noncurrent.NewerNoncurrentVersions !== undefined && {
          newerNoncurrentVersions: noncurrent.NewerNoncurrentVersions,
        }),
      },
    }),
    ...(abort && { abortIncompleteMultipartUpload: { daysAfterInitiation: abort.DaysAfterInitiation } }),
  };
}
