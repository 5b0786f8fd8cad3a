import type { Authorization } from '../../aws/operation.ts';
import type { S3Call } from './call.ts';

export type AuthorizationContext = Record<string, string | readonly string[]>;

/**
 * Adds the condition keys that every request to S3 has. Policies that ask for tags of objects are not
 * among what the local runtime evaluates; they are refused when they are set.
 *
 * The endpoint speaks plain HTTP, and still its calls count as secure (`s3:TlsVersion` here,
 * `aws:SecureTransport` for all services): it listens on the loopback interface, where there is
 * nobody to hide from, and the synthesized bucket policies deny everything else. What the conditions
 * are for is decided by the endpoint that clients use on AWS.
 */
export function withRequestContext(
  call: S3Call,
  { action, resource, context }: { action: string; resource: string; context: AuthorizationContext },
): Authorization {
  const signed = call.request.principal.kind !== 'anonymous';
  return {
    action,
    resource,
    context: {
      's3:TlsVersion': '1.3',
      's3:ResourceAccount': call.environment.accountId,
      ...(signed && {
        's3:signatureversion': 'AWS4-HMAC-SHA256',
        's3:authType': call.header('authorization') ? 'REST-HEADER' : 'REST-QUERY-STRING',
      }),
      ...context,
    },
  };
}

/** The condition key of a version that was asked for by its id. */
export function versionContext(versionId: string | undefined): AuthorizationContext {
  return versionId === undefined ? {} : { 's3:versionid': versionId };
}

const headerKeys: Readonly<Record<string, string>> = {
  'x-amz-acl': 's3:x-amz-acl',
  'x-amz-copy-source': 's3:x-amz-copy-source',
  'x-amz-metadata-directive': 's3:x-amz-metadata-directive',
  'x-amz-server-side-encryption': 's3:x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id': 's3:x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class': 's3:x-amz-storage-class',
  'x-amz-object-lock-mode': 's3:object-lock-mode',
  'x-amz-object-lock-retain-until-date': 's3:object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold': 's3:object-lock-legal-hold',
  'if-match': 's3:if-match',
  'if-none-match': 's3:if-none-match',
};

/** Condition keys that a write's headers give. */
export function writeContext(call: S3Call): AuthorizationContext {
  const context: AuthorizationContext = {};
  for (const [header, key] of Object.entries(headerKeys)) {
    const value = call.header(header);
    if (value !== undefined) context[key] = value;
  }
  return context;
}
