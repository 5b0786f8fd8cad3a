/**
 * The condition keys whose value the local runtime knows for the requests they belong to. A policy
 * that asks for any other key is refused when it is set: a guess could allow what AWS denies.
 */
const keys = [
  // Known for every request.
  'aws:CurrentTime',
  'aws:EpochTime',
  'aws:MultiFactorAuthPresent',
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:PrincipalIsAWSService',
  'aws:PrincipalServiceName',
  'aws:PrincipalType',
  'aws:RequestedRegion',
  'aws:ResourceAccount',
  'aws:SecureTransport',
  'aws:ViaAWSService',
  // Known where a service acts for a resource of the account.
  'aws:SourceAccount',
  'aws:SourceArn',
  'aws:SourceOwner',
  // Given by the operations of one service.
  'cloudwatch:namespace',
  'dynamodb:LeadingKeys',
  'events:detail-type',
  'events:source',
  'iam:PassedToService',
  'kms:CallerAccount',
  'kms:EncryptionAlgorithm',
  'kms:EncryptionContextKeys',
  'kms:GrantIsForAWSResource',
  'kms:KeyOrigin',
  'kms:KeySpec',
  'kms:KeyUsage',
  'kms:MacAlgorithm',
  'kms:MultiRegion',
  'kms:MultiRegionKeyType',
  'kms:RequestAlias',
  'kms:ResourceAliases',
  'kms:ViaService',
  's3:authType',
  's3:delimiter',
  's3:if-match',
  's3:if-none-match',
  's3:max-keys',
  's3:object-lock-legal-hold',
  's3:object-lock-mode',
  's3:object-lock-remaining-retention-days',
  's3:object-lock-retain-until-date',
  's3:prefix',
  's3:ResourceAccount',
  's3:signatureversion',
  's3:TlsVersion',
  's3:versionid',
  's3:x-amz-acl',
  's3:x-amz-content-sha256',
  's3:x-amz-copy-source',
  's3:x-amz-metadata-directive',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-storage-class',
  'secretsmanager:SecretId',
  'secretsmanager:VersionId',
  'secretsmanager:VersionStage',
  'sts:ExternalId',
  'sts:RoleSessionName',
].map((key) => key.toLowerCase());

/** Keys whose last part is a name chosen by the caller. */
const prefixes = ['kms:EncryptionContext:'].map((prefix) => prefix.toLowerCase());

const known = new Set(keys);

/** Whether the local runtime knows the value of a condition key, in any case of letters. */
export function isKnownConditionKey(key: string): boolean {
  const lower = key.toLowerCase();
  return (
    known.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix) && lower.length > prefix.length)
  );
}
