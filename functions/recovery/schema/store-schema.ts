import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { schemaKey } from '../objects/object-keys.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { tenantContext } from '../tenants/context.ts';
import type { ShardTenant } from '../tenants/model.ts';
import type { StoredObject } from '../workflow.ts';
import { ddlHash } from './ddl-hash.ts';

export interface StoreSchemaDependencies {
  readonly chunks: ChunkCatalog;
  readonly place: StorePlace;
  readonly backupId: BackupId;
  readonly shard: ShardName;
  /** Names this attempt in the keys of its objects. */
  readonly attempt: string;
  /** The one tenant that the backup is of; absent: all. */
  readonly tenant?: ShardTenant | undefined;
}

/** Stores DDL or sequence values as an object like any other, and notes it with the shard. */
export async function storeSchema(
  { place, chunks, backupId, shard, attempt, tenant }: StoreSchemaDependencies,
  kind: 'pre-data' | 'post-data' | 'sequences',
  text: string,
): Promise<StoredObject> {
  const { object: stored } = await storeObject(place, {
    kind,
    key: schemaKey(backupId, shard, kind, attempt, place.compression.format),
    context: {
      'mainstay:backup': backupId,
      'mainstay:shard': shard,
      'mainstay:kind': kind,
      ...tenantContext(tenant),
    },
    source: pieces(text),
  });
  const object = kind === 'pre-data' ? { ...stored, contentSha256: ddlHash(text) } : stored;
  await chunks.setSchemaObject(shard, kind, object);
  return object;
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text, 'utf8');
}
