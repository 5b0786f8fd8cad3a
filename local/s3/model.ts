import type { ChecksumAlgorithm } from './checksums/digests.ts';

export type RetentionMode = 'GOVERNANCE' | 'COMPLIANCE';

/** Until when a version may not be deleted. */
export interface Retention {
  mode: RetentionMode;
  /** Milliseconds since the epoch. */
  until: number;
}

/** The retention that new versions of a bucket get; exactly one of `days` and `years`. */
export interface DefaultRetention {
  mode: RetentionMode;
  days?: number;
  years?: number;
}

/** Server-side encryption: of a bucket by default, or of one object. */
export interface Encryption {
  algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** ARN of the KMS key; with `aws:kms` and without it, the account's own key for S3. */
  keyArn?: string;
  bucketKey?: boolean;
}

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  /** As in `x-amz-checksum-*`: base64, with `-<parts>` when it is a checksum of the parts' checksums. */
  value: string;
  type: 'FULL_OBJECT' | 'COMPOSITE';
}

/** One part of an object that was uploaded in parts. */
export interface PartSummary {
  number: number;
  size: number;
  etag: string;
  checksum?: Checksum;
}

/** A file that holds the bytes of an object, or of a part of it. */
export interface DataFile {
  file: string;
  size: number;
}

/** What an object has beside its bytes, its place in the listings and its files. */
export interface ObjectAttributes {
  /** `content-type` and the other headers that S3 hands back, by lower-case name. */
  headers: Record<string, string>;
  /** `x-amz-meta-*` without the prefix. */
  metadata: Record<string, string>;
  tags: Record<string, string>;
  encryption: Encryption;
  checksum?: Checksum;
  parts?: PartSummary[];
  retention?: Retention;
  legalHold: boolean;
}

/** A version of an object, or a delete marker, as the listings show it. */
export interface VersionEntry {
  /** Higher is newer, over all keys. */
  sequence: number;
  key: string;
  /** `null` for what was stored while versioning was off. */
  versionId: string;
  latest: boolean;
  deleteMarker: boolean;
  /** Milliseconds since the epoch. */
  createdAt: number;
  size: number;
  /** Without quotes; empty for a delete marker. */
  etag: string;
  storageClass: string;
  checksumAlgorithm?: ChecksumAlgorithm;
  checksumType?: Checksum['type'];
}

/** A version of an object with all that is known about it. */
export interface StoredVersion extends VersionEntry {
  attributes: ObjectAttributes;
  /** The upload it was made of. */
  uploadId?: string;
}

/** A version about to be stored. */
export interface ObjectDraft {
  key: string;
  createdAt: number;
  size: number;
  etag: string;
  storageClass: string;
  attributes: ObjectAttributes;
  uploadId?: string;
}

export interface LifecycleRule {
  id: string;
  enabled: boolean;
  prefix?: string;
  tags?: Record<string, string>;
  /** Bytes; only larger objects. */
  sizeGreaterThan?: number;
  /** Bytes; only smaller objects. */
  sizeLessThan?: number;
  /** Removes current versions (in a versioned bucket: puts a delete marker on them). */
  expiration?: { days?: number; date?: string; expiredObjectDeleteMarker?: boolean };
  noncurrentVersionExpiration?: { noncurrentDays: number; newerNoncurrentVersions?: number };
  abortIncompleteMultipartUpload?: { daysAfterInitiation: number };
  transitions?: { days?: number; date?: string; storageClass: string }[];
  noncurrentVersionTransitions?: {
    noncurrentDays: number;
    newerNoncurrentVersions?: number;
    storageClass: string;
  }[];
}

export interface CorsRule {
  id?: string;
  allowedOrigins: string[];
  allowedMethods: string[];
  allowedHeaders?: string[];
  exposeHeaders?: string[];
  maxAgeSeconds?: number;
}

export interface PublicAccessBlock {
  blockPublicAcls: boolean;
  ignorePublicAcls: boolean;
  blockPublicPolicy: boolean;
  restrictPublicBuckets: boolean;
}

/** A bucket as the provisioner describes it. What is left out is as in a new bucket of S3. */
export interface BucketDefinition {
  name: string;
  /** Default: never versioned, or `Suspended` where it was enabled before. */
  versioning?: 'Enabled' | 'Suspended';
  /** Implies versioning; cannot be taken back. */
  objectLock?: boolean;
  defaultRetention?: DefaultRetention;
  /** A policy document. */
  policy?: Record<string, unknown>;
  /** Default: `AES256`. */
  encryption?: Encryption;
  lifecycle?: LifecycleRule[];
  /** Default: everything blocked, as for buckets made since 2023. */
  publicAccessBlock?: PublicAccessBlock;
  /** Whether object events go to EventBridge; default false. */
  eventBridge?: boolean;
  cors?: CorsRule[];
  /** Default: `BucketOwnerEnforced`. */
  ownership?: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter';
  tags?: Record<string, string>;
}

/** A bucket as it is stored. */
export interface Bucket extends BucketDefinition {
  createdAt: number;
  encryption: Encryption;
  publicAccessBlock: PublicAccessBlock;
  ownership: NonNullable<BucketDefinition['ownership']>;
}
