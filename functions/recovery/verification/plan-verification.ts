import type * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { BackupNotRunningError, DamagedObjectError, ManifestError } from '../errors.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { objectsOf } from '../manifest/objects-of.ts';
import type { Finding } from '../model.ts';
import type { Bucket } from '../objects/bucket.ts';
import { manifestKey, verificationKey } from '../objects/object-keys.ts';
import { leave } from '../objects/work-objects.ts';
import type { planVerificationEventSchema, StoredObject, verifyWorkSchema } from '../workflow.ts';

type VerifyWork = z.output<typeof verifyWorkSchema>;

export interface PlanVerificationDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
}

/** Bounds of what one invocation reads back. */
const readBounds = { objects: 50, bytes: 256 * 1024 * 1024 };

/**
 * Checks the manifest and lists its objects as work items. A manifest that is not as it was written is a finding; what
 * it lists is not looked at then, because it may say anything.
 *
 * @returns where the items are, and how many.
 */
export async function planVerification(
  deps: PlanVerificationDependencies,
  { operationId, executionArn, input }: z.output<typeof planVerificationEventSchema>,
): Promise<{ bucket: string; key: string; items: number }> {
  const { bucket, operations } = deps;
  const record = await deps.catalog.get(input.backupId);
  if (record?.state !== 'completed' || record.manifest === undefined) {
    throw new BackupNotRunningError(`Backup ${input.backupId} is not a complete backup any more.`);
  }
  const checked = await checkManifest(deps.manifests, record.id, record.manifest);
  const items = 'finding' in checked ? [] : divide(objectsOf(checked.manifest), readBounds);
  if ('finding' in checked) {
    await operations.note(operationId, 'manifest', {
      objects: 1,
      storedBytes: 0,
      findings: [checked.finding],
    });
  } else {
    await operations.note(operationId, 'manifest', { objects: 1, storedBytes: 0, findings: [] });
  }
  const total = 1 + items.reduce((sum, item) => sum + item.objects.length, 0);
  if (!(await operations.start(operationId, executionArn, total))) {
    throw new BackupNotRunningError(`Verification ${operationId} was canceled before it began.`);
  }
  const key = verificationKey(operationId);
  // A Map over nothing is best avoided: an item without objects does no harm.
  await leave(bucket, key, items.length === 0 ? [{ item: 0, objects: [] }] : items);
  return { bucket: bucket.name, key, items: items.length };
}

async function checkManifest(
  manifests: ManifestStore,
  backupId: Manifest['backupId'],
  expected: { key: string; versionId: string | null; sha256: string },
): Promise<{ manifest: Manifest } | { finding: Finding }> {
  const finding = (problem: Finding['problem'], detail: string) => ({
    finding: {
      object: manifestKey(backupId),
      versionId: expected.versionId,
      problem,
      detail,
      shard: null,
      relation: null,
    },
  });
  try {
    const stored = await manifests.read(backupId, expected.versionId);
    if (stored === undefined) return finding('missing', 'There is no manifest.');
    if (stored.sha256 !== expected.sha256) {
      return finding('hash-mismatch', 'The manifest is authentic, but it is not the one that was committed.');
    }
    return { manifest: stored.manifest };
  } catch (error) {
    if (error instanceof DamagedObjectError) return finding('hash-mismatch', error.message);
    if (!(error instanceof ManifestError)) throw error;
    return finding(/MAC/.test(error.message) ? 'manifest-mac' : 'manifest-unreadable', error.message);
  }
}

/** Work items of a bounded number of objects and bytes; an object is never divided. */
export function divide(
  objects: readonly StoredObject[],
  bounds: { objects: number; bytes: number } = readBounds,
): VerifyWork[] {
  const items: VerifyWork[] = [];
  let current: StoredObject[] = [];
  let bytes = 0;
  const finish = (): void => {
    if (current.length > 0) items.push({ item: items.length, objects: current });
    current = [];
    bytes = 0;
  };
  for (const object of objects) {
    if (current.length === bounds.objects || bytes + object.storedBytes > bounds.bytes) finish();
    current.push(object);
    bytes += object.storedBytes;
  }
  finish();
  return items;
}
