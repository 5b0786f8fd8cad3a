import * as z from 'zod';
import type { RestResponse } from '../../aws/api.ts';
import { S3Error } from '../errors.ts';
import type { ObjectAttributes, Retention, StoredVersion } from '../model.ts';
import { requireObjectLock, requireRetentionChange } from '../store/object-lock.ts';
import { emptyAnswer, versionHeaders, xmlAnswer } from './answers.ts';
import { versionContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { parseRetention } from './object-headers.ts';
import { requireReadable } from './read-object.ts';
import { parseTagging, tagSet } from './tags.ts';
import { document, field } from './xml.ts';
import { readXml, xmlText } from './xml-reader.ts';

const largestRequest = 64 * 1024;

/** GetObjectTagging. */
export function getObjectTagging(call: S3Call): RestResponse {
  const version = requireReadable(call, 's3:GetObjectTagging');
  return xmlAnswer(
    document('Tagging', tagSet(version.attributes.tags)),
    versionHeaders(call.bucket(), version),
  );
}

/** PutObjectTagging. */
export async function putObjectTagging(call: S3Call): Promise<RestResponse> {
  requireChangeable(call, 's3:PutObjectTagging', 's3:PutObjectVersionTagging');
  const tags = parseTagging(await call.body(largestRequest));
  return change(call, 200, (attributes) => ({ ...attributes, tags }));
}

/** DeleteObjectTagging. */
export function deleteObjectTagging(call: S3Call): RestResponse {
  requireChangeable(call, 's3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging');
  return change(call, 204, (attributes) => ({ ...attributes, tags: {} }));
}

/** GetObjectRetention. */
export function getObjectRetention(call: S3Call): RestResponse {
  requireObjectLock(call.bucket());
  const { retention } = requireLockTarget(call, 's3:GetObjectRetention').attributes;
  if (!retention) throw noLockOnObject();
  const until = new Date(retention.until).toISOString();
  return xmlAnswer(document('Retention', field('Mode', retention.mode), field('RetainUntilDate', until)));
}

/** PutObjectRetention. An empty document takes the retention away, where that is allowed. */
export async function putObjectRetention(call: S3Call): Promise<RestResponse> {
  requireObjectLock(call.bucket());
  requireLockTarget(call, 's3:PutObjectRetention');
  const schema = z.union([
    z.object({ Mode: xmlText, RetainUntilDate: xmlText }),
    z.literal(''),
    z.object({ Mode: z.undefined().optional(), RetainUntilDate: z.undefined().optional() }),
  ]);
  const body = readXml(await call.body(largestRequest), 'Retention', schema);
  const now = call.store.now();
  const next: Retention | undefined =
    body !== '' && body.Mode !== undefined && body.RetainUntilDate !== undefined
      ? parseRetention(body.Mode, body.RetainUntilDate, now)
      : undefined;
  const wantsBypass = call.header('x-amz-bypass-governance-retention')?.toLowerCase() === 'true';
  return change(call, 200, ({ retention: current, ...attributes }) => {
    const bypass = wantsBypass && current?.mode === 'GOVERNANCE';
    if (bypass) call.authorize('s3:BypassGovernanceRetention', call.objectArn);
    requireRetentionChange(current, next, now, bypass);
    return { ...attributes, ...(next && { retention: next }) };
  });
}

/** GetObjectLegalHold. */
export function getObjectLegalHold(call: S3Call): RestResponse {
  requireObjectLock(call.bucket());
  const { legalHold } = requireLockTarget(call, 's3:GetObjectLegalHold').attributes;
  return xmlAnswer(document('LegalHold', field('Status', legalHold ? 'ON' : 'OFF')));
}

/** PutObjectLegalHold. */
export async function putObjectLegalHold(call: S3Call): Promise<RestResponse> {
  requireObjectLock(call.bucket());
  requireLockTarget(call, 's3:PutObjectLegalHold');
  const schema = z.object({ Status: xmlText.pipe(z.enum(['ON', 'OFF'])) });
  const { Status } = readXml(await call.body(largestRequest), 'LegalHold', schema);
  return change(call, 200, (attributes) => ({ ...attributes, legalHold: Status === 'ON' }));
}

/** The version a request is about; IAM has the same action for it with and without a version id. */
function requireLockTarget(call: S3Call, action: string): StoredVersion {
  return requireChangeable(call, action, action);
}

function requireChangeable(call: S3Call, action: string, versionAction: string): StoredVersion {
  const { versionId } = call;
  call.authorize(versionId === undefined ? action : versionAction, call.objectArn, versionContext(versionId));
  return requireVersion(call);
}

/** The version now: between reading a body and storing what it says, another request may have been faster. */
function requireVersion(call: S3Call): StoredVersion {
  const bucket = call.bucket();
  const version = call.store.find(bucket.name, call.key, call.versionId);
  if (version && !version.deleteMarker) return version;
  call.authorize('s3:ListBucket', call.bucketArn);
  if (version) {
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  }
  const [code, message] =
    call.versionId === undefined
      ? ['NoSuchKey', 'The specified key does not exist.']
      : ['NoSuchVersion', 'The specified version does not exist.'];
  throw new S3Error(code, message, 404, { Key: call.key });
}

function change(
  call: S3Call,
  status: number,
  update: (attributes: ObjectAttributes) => ObjectAttributes,
): RestResponse {
  const version = requireVersion(call);
  call.store.versions.setAttributes(version.sequence, update(version.attributes));
  return emptyAnswer(status, versionHeaders(call.bucket(), version));
}

function noLockOnObject(): S3Error {
  return new S3Error(
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
    404,
  );
}
