import type * as z from 'zod';
import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { ComponentCatalog } from '../catalog/component-catalog.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { isOwn } from '../chunks/refer.ts';
import { type Clock, isoTime } from '../clock.ts';
import { IncompleteBackupError } from '../errors.ts';
import type { Finding } from '../model.ts';
import { findingOf, type VerifyPlace, verifyObject } from '../objects/verify-object.ts';
import type { StoredObject, verifyChunkEventSchema, verifyChunkResultSchema } from '../workflow.ts';

type VerifyEvent = z.output<typeof verifyChunkEventSchema>;
type VerifyResult = z.output<typeof verifyChunkResultSchema>;

export interface VerifyWorkDependencies {
  readonly place: VerifyPlace;
  readonly chunks: ChunkCatalog;
  readonly components: ComponentCatalog;
  readonly operations: OperationCatalog;
  readonly clock: Clock;
}

interface ReadBack {
  readonly findings: Finding[];
  /** One for each object; empty where it could not be computed. */
  readonly digests: string[];
  readonly storedBytes: number;
}

/**
 * Reads a bounded number of stored objects back. In a backup a damaged object is an error, and those of earlier backups
 * were read back then; in a verification a damaged one is what the verification is for, and is noted.
 *
 * @throws IncompleteBackupError (backup), DependencyError.
 */
export async function verifyWork(deps: VerifyWorkDependencies, event: VerifyEvent): Promise<VerifyResult> {
  const { item, objects } = event.work;
  const mode = event.purpose === 'verification' ? event.mode : 'full';
  const isProved = (object: StoredObject): boolean =>
    event.purpose === 'backup' && !isOwn(event.backupId, object);
  const read = await readBack(deps.place, objects, mode, isProved);
  if (event.purpose === 'backup') await noteVerified(deps, event, read);
  else if (event.purpose === 'component') await noteComponent(deps, event, read);
  else {
    await deps.operations.note(event.operationId, String(item).padStart(6, '0'), {
      objects: objects.length,
      storedBytes: read.storedBytes,
      findings: read.findings,
    });
  }
  return { item, objects: objects.length, findings: read.findings.length, storedBytes: read.storedBytes };
}

async function readBack(
  place: VerifyPlace,
  objects: readonly StoredObject[],
  mode: 'full' | 'hash',
  isProved: (object: StoredObject) => boolean,
): Promise<ReadBack> {
  const findings: Finding[] = [];
  const digests: string[] = [];
  let storedBytes = 0;
  for (const object of objects) {
    if (isProved(object)) {
      digests.push(object.rows?.digest ?? '');
      continue;
    }
    const { problem, digest } = await verifyObject(place, object, mode);
    if (problem !== undefined) findings.push(findingOf(object, problem));
    digests.push(digest ?? '');
    storedBytes += object.storedBytes;
  }
  return { findings, digests, storedBytes };
}

function requireIntact([finding]: readonly Finding[]): void {
  if (finding === undefined) return;
  throw new IncompleteBackupError(
    `${finding.object} was not stored as it should be (${finding.problem}): ${finding.detail}`,
  );
}

async function noteComponent(
  { components, clock }: VerifyWorkDependencies,
  { part, work }: Extract<VerifyEvent, { purpose: 'component' }>,
  { findings }: ReadBack,
): Promise<void> {
  requireIntact(findings);
  if (await components.setVerified(part, work, isoTime(clock.now()))) return;
  throw new IncompleteBackupError(`Part of the ${part} was stored again while it was read back.`);
}

async function noteVerified(
  { chunks, clock }: VerifyWorkDependencies,
  event: Extract<VerifyEvent, { purpose: 'backup' }>,
  { findings, digests }: ReadBack,
): Promise<void> {
  const { item, objects } = event.work;
  requireIntact(findings);
  const verifiedAt = isoTime(clock.now());
  if (await chunks.setVerified(event.shard, item, objects, { verifiedAt, digests, findings })) return;
  throw new IncompleteBackupError(`Item ${item} of ${event.shard} was stored again while it was read back.`);
}
