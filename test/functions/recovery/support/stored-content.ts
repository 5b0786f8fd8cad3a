import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
