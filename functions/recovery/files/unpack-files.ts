import { extract } from 'tar-stream';
import type { VerifyPlace } from '../objects/verify-object.ts';
import type { StoredObject } from '../workflow.ts';
import { smallBytes } from './model.ts';
import { storedContent } from './read-index.ts';
import { room } from './room.ts';

/**
 * The wanted files of a pack, in its order.
 *
 * @throws DamagedObjectError when the pack is not as it was stored. DependencyError
 */
export async function* unpackFiles(
  place: VerifyPlace,
  pack: StoredObject,
  wanted: ReadonlySet<string>,
): AsyncGenerator<{ name: string; content: Buffer }> {
  const archive = extract();
  const feed = async (): Promise<void> => {
    for await (const piece of storedContent(place, pack)) {
      if (archive.destroyed) return;
      if (!archive.write(piece)) await room(archive);
    }
    archive.end(undefined);
  };
  const feeding = feed().catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const entry of archive) {
      const { name, size } = entry.header;
      if (!wanted.has(name) || size >= smallBytes) {
        entry.resume();
        continue;
      }
      const pieces: Uint8Array[] = [];
      for await (const piece of entry) if (piece instanceof Uint8Array) pieces.push(piece);
      yield { name, content: Buffer.concat(pieces) };
    }
  } finally {
    archive.destroy();
    await feeding;
  }
}
