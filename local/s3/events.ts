import { randomUUID } from 'node:crypto';
import type { ObjectChange } from './store/object-store.ts';

/** An event as S3 sends it to the default event bus. */
export interface ObjectEvent {
  version: '0';
  id: string;
  'detail-type': 'Object Created' | 'Object Deleted';
  source: 'aws.s3';
  account: string;
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** The event of a change, in the shape EventBridge rules match on. */
export function objectEvent(
  { bucket, version, kind, cause }: ObjectChange,
  { accountId, region, now }: { accountId: string; region: string; now: number },
): ObjectEvent {
  const created = kind === 'created';
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': created ? 'Object Created' : 'Object Deleted',
    source: 'aws.s3',
    account: accountId,
    time: new Date(Math.floor(now / 1000) * 1000).toISOString().replace('.000Z', 'Z'),
    region,
    resources: [`arn:aws:s3:::${bucket.name}`],
    detail: {
      version: '0',
      bucket: { name: bucket.name },
      object: {
        key: version.key,
        ...(created && { size: version.size }),
        ...(version.etag !== '' && { etag: version.etag }),
        ...(bucket.versioning && { 'version-id': version.versionId }),
        sequencer: version.sequence.toString(16).toUpperCase().padStart(18, '0'),
      },
      'request-id': cause.requestId,
      requester: cause.requester,
      ...(cause.sourceIp !== undefined && { 'source-ip-address': cause.sourceIp }),
      reason: cause.reason,
      ...(!created && {
        'deletion-type': kind === 'marked' ? 'Delete Marker Created' : 'Permanently Deleted',
      }),
    },
  };
}
