import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Manifest } from '../../../../functions/recovery/manifest/manifest.ts';
import { qualifiedName, quoteIdentifier } from '../../../../functions/recovery/snapshot/sql.ts';
import { decompressStage } from '../../../../functions/recovery/stages/compress.ts';
import { decryptStage, kmsKeyring } from '../../../../functions/recovery/stages/encrypt.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import type { Aws } from './world.ts';

/** The content of a stored object. */
export async function readContent(world: Aws, object: StoredObject): Promise<Buffer> {
  const answer = await world.bucket.open(object);
  if (!(answer?.Body instanceof Readable)) throw new Error(`There is no ${object.key}`);
  const keyring = kmsKeyring(world.kms, world.verifyPlace.keyArn);
  const pieces: Buffer[] = [];
  await pipeline(
    answer.Body,
    decryptStage(keyring, object.context),
    decompressStage(object.compression),
    async (content: AsyncIterable<Buffer>) => {
      for await (const piece of content) pieces.push(piece);
    },
  );
  return Buffer.concat(pieces);
}

/** Restores one shard into an empty database, as a reader of the format would. */
export async function restoreInto(world: Aws, manifest: Manifest, client: pg.Client): Promise<void> {
  const [shard] = manifest.shards;
  if (shard === undefined) throw new Error('The manifest has no shard');
  await client.query((await readContent(world, shard.preData)).toString('utf8'));
  for (const table of shard.tables) {
    const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    const list = columns === '' ? '' : ` (${columns})`;
    for (const object of shard.chunks.filter(({ rows }) => rows?.range.oid === table.oid)) {
      const target = client.query(copyFrom(`COPY ${qualifiedName(table)}${list} FROM STDIN`));
      await pipeline(Readable.from([await readContent(world, object)]), target);
    }
  }
  await client.query((await readContent(world, shard.postData)).toString('utf8'));
}
