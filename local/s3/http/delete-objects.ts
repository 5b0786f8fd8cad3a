import * as z from 'zod';
import type { RestResponse } from '../../aws/api.ts';
import { AwsError } from '../../aws/operation.ts';
import { digestOf } from '../checksums/digests.ts';
import { invalidRequest, S3Error } from '../errors.ts';
import { isGoverned } from '../store/object-lock.ts';
import type { DeleteOutcome } from '../store/object-store.ts';
import { emptyAnswer, unquoted, xmlAnswer } from './answers.ts';
import { versionContext } from './authorization.ts';
import type { S3Call } from './call.ts';
import { declaredValue, readDeclaredChecksums } from './checksum-headers.ts';
import { document, element, field } from './xml.ts';
import { readXml, xmlText } from './xml-reader.ts';

const mostKeys = 1000;
const largestRequest = 2 * 1024 * 1024;

const deleteSchema = z.object({
  Object: z
    .array(z.object({ Key: xmlText, VersionId: xmlText.optional(), ETag: xmlText.optional() }))
    .min(1)
    .max(mostKeys),
  Quiet: xmlText.optional(),
});

/** One object to delete. */
interface Doomed {
  key: string;
  versionId: string | undefined;
  ifMatch: string | undefined;
}

/** DeleteObject. */
export function deleteObject(call: S3Call): RestResponse {
  const ifMatch = call.header('if-match');
  const outcome = deleteOne(call, {
    key: call.key,
    versionId: call.versionId,
    ifMatch: ifMatch === undefined ? undefined : unquoted(ifMatch),
  });
  return emptyAnswer(204, {
    ...(outcome.versionId !== undefined && { 'x-amz-version-id': outcome.versionId }),
    ...(outcome.deleteMarker && { 'x-amz-delete-marker': 'true' }),
  });
}

/** DeleteObjects: each key by itself; one that fails does not keep the others. */
export async function deleteObjects(call: S3Call): Promise<RestResponse> {
  call.bucket();
  const declared = readDeclaredChecksums(call);
  if (!declared.md5 && !declared.algorithm) {
    throw invalidRequest('Missing required header for this request: Content-MD5');
  }
  const xml = await call.body(largestRequest);
  const { algorithm } = declared;
  const intact =
    (!declared.md5 || digestOf('MD5', xml).equals(declared.md5)) &&
    (!algorithm || digestOf(algorithm, xml).toString('base64') === declaredValue(call, declared));
  if (!intact) {
    throw new S3Error('BadDigest', 'The checksum you specified did not match what we received.', 400);
  }
  const request = readXml(xml, 'Delete', deleteSchema);
  const quiet = request.Quiet === 'true';
  const results = request.Object.map(({ Key: key, VersionId: versionId, ETag: etag }) => {
    try {
      const ifMatch = etag === undefined ? undefined : unquoted(etag);
      const outcome = deleteOne(call, { key, versionId, ifMatch });
      return quiet ? '' : deletedElement(key, versionId, outcome);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return element(
        'Error',
        field('Key', key),
        field('VersionId', versionId),
        field('Code', error.code),
        field('Message', error.message),
      );
    }
  });
  return xmlAnswer(document('DeleteResult', ...results));
}

function deleteOne(call: S3Call, { key, versionId, ifMatch }: Doomed): DeleteOutcome {
  const bucket = call.bucket();
  const objectArn = `${call.bucketArn}/${key}`;
  const action = versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
  call.authorize(action, objectArn, versionContext(versionId));
  if (ifMatch !== undefined) call.authorize('s3:GetObject', objectArn);
  let bypassGovernance = false;
  if (versionId !== undefined && call.header('x-amz-bypass-governance-retention')?.toLowerCase() === 'true') {
    const version = call.store.find(bucket.name, key, versionId);
    // The right to bypass only matters where there is something to bypass.
    if (version && isGoverned(version.attributes, call.store.now())) {
      call.authorize('s3:BypassGovernanceRetention', objectArn);
      bypassGovernance = true;
    }
  }
  return call.store.delete(bucket.name, key, {
    ...(versionId !== undefined && { versionId }),
    ...(ifMatch !== undefined && { ifMatch }),
    bypassGovernance,
    cause: { ...call.cause, reason: 'DeleteObject' },
  });
}

function deletedElement(key: string, versionId: string | undefined, outcome: DeleteOutcome): string {
  return element(
    'Deleted',
    field('Key', key),
    field('VersionId', versionId),
    field('DeleteMarker', outcome.deleteMarker ? true : undefined),
    field('DeleteMarkerVersionId', outcome.deleteMarker ? outcome.versionId : undefined),
  );
}
