import { PassThrough } from 'node:stream';
import { DamagedObjectError } from '../errors.ts';
import { readVerified, type VerifyPlace } from '../objects/verify-object.ts';
import type { StoredObject } from '../workflow.ts';
import { fromLines } from './lines.ts';
import { type FileEntry, fileEntrySchema } from './model.ts';
import { room } from './room.ts';

/**
 * The content of a stored object, piece by piece as it is asked for.
 *
 * @throws DamagedObjectError when it is not as it was stored, at its end at the latest. DependencyError
 */
export async function* storedContent(place: VerifyPlace, object: StoredObject): AsyncGenerator<Buffer> {
  const content = new PassThrough();
  const reading = readVerified(place, object, async (piece) => {
    if (content.destroyed) throw new Error('Nobody reads on');
    if (!content.write(piece)) await room(content);
  }).then(
    ({ problem }) => {
      if (problem === undefined) content.end();
      else {
        const said = `${object.key} is damaged (${problem.problem}): ${problem.detail}`;
        content.destroy(new DamagedObjectError(said));
      }
    },
    (error: unknown) => content.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  try {
    yield* content;
  } finally {
    content.destroy();
    await reading;
  }
}

/** The lines of an index of files, in the order of their keys. @throws as `storedContent` does. */
export const readIndex = (place: VerifyPlace, index: StoredObject): AsyncGenerator<FileEntry> =>
  fromLines(storedContent(place, index), fileEntrySchema);
