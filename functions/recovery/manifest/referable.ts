import type { SnapshotOrigin } from '../catalog/snapshot-store.ts';
import type { ShardDescription } from '../chunks/describe-shard.ts';
import { windowSince } from '../chunks/visibility.ts';
import { canonicalJson } from '../manifest/manifest.ts';
import type { ShardTarget, StoredObject } from '../workflow.ts';
import type { Manifest, ManifestShard } from './manifest.ts';

/** What is known of a shard when it is decided what of an earlier backup may stand for it. */
export interface ShardNow {
  readonly target: Pick<ShardTarget, 'database' | 'clusterIdentifier' | 'epoch' | 'resourceId'>;
  readonly origin: SnapshotOrigin;
  readonly description: ShardDescription;
  readonly preData: StoredObject | undefined;
  readonly encoding: Manifest['encoding'];
}

type ShardThen = Pick<
  ManifestShard,
  | 'database'
  | 'clusterIdentifier'
  | 'epoch'
  | 'resourceId'
  | 'origin'
  | 'server'
  | 'extensions'
  | 'preData'
  | 'tables'
>;

/**
 * Why nothing of an earlier backup may stand for what a shard holds now; nothing when the tables that `referableTables`
 * names may.
 */
export function whyNotReferable(
  then: ShardThen,
  encoding: Manifest['encoding'],
  now: ShardNow,
): string | undefined {
  const { target, origin, description } = now;
  const names = (shard: Pick<ShardTarget, 'clusterIdentifier' | 'database' | 'epoch' | 'resourceId'>) => [
    shard.clusterIdentifier,
    shard.database,
    shard.epoch,
    shard.resourceId ?? null,
  ];
  const ddl = then.preData.contentSha256;
  if (!isSame(names(then), names(target))) return 'it is of another cluster, epoch or database';
  if (!isSameHistory(then.origin, origin, target.resourceId)) return 'the server has another history';
  if (then.origin.durable !== true) return 'it was not known to be on disk';
  if (windowSince(xminOf(then.origin), origin.snapshot) === undefined) return 'it is too long ago';
  if (then.server.databaseOid === undefined || !isSame(then.server, description.server)) {
    return 'the server or the database is another';
  }
  if (!isSame(then.extensions, description.extensions)) return 'extensions have changed';
  if (!isSame(encoding, now.encoding)) return 'objects are made in another way';
  return ddl === undefined || ddl !== now.preData?.contentSha256 ? 'the DDL has changed' : undefined;
}

/** Oids of the tables that are in the same file, of the same columns and types, as they were then. */
export function referableTables(
  then: Pick<ManifestShard, 'tables'>,
  { tables }: Pick<ShardDescription, 'tables'>,
): ReadonlySet<number> {
  const before = new Map(then.tables.map((table) => [table.oid, table]));
  const same = tables.filter((table) => {
    const earlier = before.get(table.oid);
    return (
      earlier !== undefined &&
      typeof table.layout === 'string' &&
      typeof table.filenode === 'number' &&
      isSame(identity(earlier), identity(table))
    );
  });
  return new Set(same.map(({ oid }) => oid));
}

const identity = ({
  oid,
  schema,
  name,
  filenode,
  layout,
  columns,
}: Pick<ManifestShard['tables'][number], 'oid' | 'schema' | 'name' | 'filenode' | 'layout' | 'columns'>) => [
  oid,
  schema,
  name,
  filenode ?? null,
  layout ?? null,
  columns,
];

/** A managed server may not tell its identifier and timeline: then its resource id has to be known. */
function isSameHistory(then: SnapshotOrigin, now: SnapshotOrigin, resourceId: string | undefined): boolean {
  const told = now.systemIdentifier !== null && now.timeline !== null;
  return (
    then.systemIdentifier === now.systemIdentifier &&
    then.timeline === now.timeline &&
    (told || resourceId !== undefined)
  );
}

/** `xmin` of a snapshot, decimal; empty when there is none. */
export const xminOf = ({ snapshot }: Pick<SnapshotOrigin, 'snapshot'>): string =>
  snapshot.split(':', 1)[0] ?? '';

const isSame = (one: unknown, other: unknown): boolean => canonicalJson(one) === canonicalJson(other);
