import * as z from 'zod';
import { type ChunkRecord, type ShardRecord, signatureOf } from '../catalog/chunk-catalog.ts';
import { originName } from '../chunks/copy-chunk.ts';
import type { ShardDescription } from '../chunks/describe-shard.ts';
import { coverageProblem } from '../chunks/ranges.ts';
import { blocksOf, isOwn } from '../chunks/refer.ts';
import { combineDigests } from '../digest.ts';
import { IncompleteBackupError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import { qualifiedName } from '../snapshot/sql.ts';
import type { Tenant } from '../tenants/model.ts';
import { tenantProblems } from '../tenants/tenant-problems.ts';
import { type ChunkWork, chunkWorkSchema, type StoredObject } from '../workflow.ts';
import { referredProblems } from './check-referred.ts';
import type { Manifest, ManifestShard } from './manifest.ts';
import type { Parent } from './parent.ts';

export const planSchema = z.array(chunkWorkSchema);

/** All that is known of one shard when its backup is to be committed. */
export interface ShardParts {
  readonly record: ShardRecord;
  readonly plan: readonly ChunkWork[];
  readonly description: ShardDescription;
  readonly chunks: readonly ChunkRecord[];
  readonly backupId: BackupId;
  readonly encoding: Manifest['encoding'];
  /** The backup that its unchanged rows are referred to in, if any are. */
  readonly parent?: Parent | undefined;
  /** The one tenant that it is of; absent: the whole platform. */
  readonly tenant?: Tenant | undefined;
}

/** How many problems an error names in full. */
const named = 20;

/**
 * Puts the manifest of a shard together, if what was stored is all of what was planned, from one snapshot, and was read
 * back. Nothing is assumed: every item of the plan, every block of every table is looked for, and what is referred to in
 * another backup has to be there.
 *
 * @throws IncompleteBackupError naming what is missing, unproved, double, or from another snapshot.
 */
export function assembleShard(parts: ShardParts): ManifestShard {
  const { record, plan, description, chunks, backupId, parent } = parts;
  const { target, origin } = record;
  const preData = record['pre-data'];
  const postData = record['post-data'];
  const { sequences } = record;
  const problems: string[] = [];
  if (target === undefined || origin === undefined) problems.push('it has no snapshot');
  if (preData === undefined || postData === undefined) problems.push('its DDL is missing');
  if (sequences === undefined) problems.push('the values of its sequences are missing');
  const expectedOrigin = origin === undefined ? '' : originName(origin);
  problems.push(...itemProblems(plan, chunks, expectedOrigin), ...coverage(description, chunks));
  const referred = chunks.flatMap((chunk) => chunk.objects.filter((object) => !isOwn(backupId, object)));
  if (target !== undefined && origin !== undefined) {
    const now = { target, origin, description, preData, encoding: parts.encoding };
    problems.push(...referredProblems(referred, parent, now));
  }
  problems.push(...tenantProblems(parts));
  if (
    problems.length > 0 ||
    target === undefined ||
    origin === undefined ||
    preData === undefined ||
    postData === undefined ||
    sequences === undefined
  ) {
    throw incomplete(record.shard, problems);
  }
  const objects = provenObjects(chunks);
  const byTable = Map.groupBy(objects, (object) => object.rows?.range.oid);
  return {
    name: record.shard,
    database: target.database,
    clusterIdentifier: target.clusterIdentifier,
    epoch: target.epoch,
    ...(target.resourceId !== undefined && { resourceId: target.resourceId }),
    origin,
    ...(referred.length > 0 &&
      parent !== undefined && { parent: { backupId: parent.backupId, origin: parent.shard.origin } }),
    ...description,
    tables: description.tables.map((table) => {
      const own = byTable.get(table.oid) ?? [];
      return {
        ...table,
        rows: own.reduce((rows, part) => rows + (part.rows?.count ?? 0), 0),
        digest: combineDigests(own.flatMap((part) => part.rows?.digest ?? [])),
      };
    }),
    preData,
    postData,
    sequences,
    chunks: objects,
  };
}

function incomplete(shard: string, problems: readonly string[]): IncompleteBackupError {
  const more = problems.length > named ? `; and ${problems.length - named} more` : '';
  return new IncompleteBackupError(
    `${shard} is not completely backed up: ${problems.slice(0, named).join('; ')}${more}.`,
  );
}

/** Compares what was stored with the plan, item by item. */
function itemProblems(plan: readonly ChunkWork[], chunks: readonly ChunkRecord[], origin: string): string[] {
  const problems: string[] = [];
  const stored = new Map(chunks.map((chunk) => [chunk.item, chunk]));
  if (stored.size !== chunks.length) problems.push('an item is stored twice');
  for (const { item, ranges } of plan) {
    const chunk = stored.get(item);
    stored.delete(item);
    if (chunk === undefined) {
      problems.push(`item ${item} is missing`);
      continue;
    }
    if (chunk.origin !== origin) problems.push(`item ${item} is from another snapshot`);
    if (chunk.verifiedAt === undefined || chunk.digests?.length !== chunk.objects.length) {
      problems.push(`item ${item} has not been read back`);
    }
    if (chunk.findings !== undefined && chunk.findings.length > 0) problems.push(`item ${item} is damaged`);
    if (chunk.signature !== signatureOf(chunk.objects)) problems.push(`item ${item} names other objects`);
    const ranged = chunk.objects.map((object) => object.rows?.range);
    if (!isSame(ranged, ranges.map(blocksOf))) problems.push(`item ${item} holds other ranges than planned`);
  }
  for (const item of stored.keys()) problems.push(`item ${item} was not planned`);
  return problems;
}

const isSame = (one: unknown, other: unknown): boolean => sortedJson(one) === sortedJson(other);

/** JSON of a list of flat objects, whatever order their members came in. */
const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

/** Looks for every block of every table, whatever the plan said. */
function coverage(description: ShardDescription, chunks: readonly ChunkRecord[]): string[] {
  const ranges = Map.groupBy(
    chunks.flatMap(({ objects }) => objects.flatMap(({ rows }) => (rows === undefined ? [] : [rows.range]))),
    (range) => range.oid,
  );
  const problems: string[] = [];
  for (const table of description.tables) {
    if (table.selection === 'none') continue;
    const problem = coverageProblem(ranges.get(table.oid) ?? []);
    if (problem !== undefined) problems.push(`${qualifiedName(table)}: ${problem}`);
    ranges.delete(table.oid);
  }
  for (const [oid] of ranges) problems.push(`rows of relation ${oid}, which is not in the snapshot`);
  return problems;
}

/** The objects of rows with the digests that reading them back gave, in the order of tables and blocks. */
function provenObjects(chunks: readonly ChunkRecord[]): StoredObject[] {
  const objects = chunks.flatMap(({ objects, digests }) =>
    objects.map((object, index) => {
      const digest = digests?.[index];
      return object.rows === undefined || digest === undefined
        ? object
        : { ...object, rows: { ...object.rows, digest } };
    }),
  );
  return objects.sort(
    (a, b) =>
      (a.rows?.range.oid ?? 0) - (b.rows?.range.oid ?? 0) ||
      (a.rows?.range.fromBlock ?? 0) - (b.rows?.range.fromBlock ?? 0),
  );
}
