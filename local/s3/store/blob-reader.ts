import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { DataFile } from '../model.ts';
import type { BlobStore } from './blobs.ts';

const readBytes = 256 * 1024;

/** One file and the bytes of it to read, both ends included. */
interface Slice {
  path: string;
  start: number;
  end: number;
}

/**
 * A stream of the bytes from `start` to `end` (both included) of the files joined. The files stay
 * until the stream is closed, even when their object is deleted meanwhile.
 *
 * @throws when the first file needed is not there in full.
 */
export async function readBlobs(
  blobs: BlobStore,
  files: readonly DataFile[],
  start: number,
  end: number,
): Promise<Readable> {
  const slices: Slice[] = [];
  const needed: DataFile[] = [];
  let offset = 0;
  for (const file of files) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, file.size - 1);
    offset += file.size;
    if (from > to) continue;
    needed.push(file);
    slices.push({ path: blobs.path(file.file), start: from, end: to });
  }
  const [first] = slices;
  if (!first) return Readable.from([]);
  blobs.pin(needed);
  try {
    const { size } = await stat(first.path);
    if (size <= first.end) throw new Error(`${first.path} has ${size} bytes, too few for what was stored`);
  } catch (error) {
    blobs.unpin(needed);
    throw error;
  }
  const stream =
    slices.length === 1
      ? createReadStream(first.path, { start: first.start, end: first.end, highWaterMark: readBytes })
      : Readable.from(joined(slices), { objectMode: false, highWaterMark: readBytes });
  return stream.once('close', () => blobs.unpin(needed));
}

async function* joined(slices: readonly Slice[]): AsyncGenerator<Uint8Array> {
  for (const { path, start, end } of slices) {
    yield* createReadStream(path, { start, end, highWaterMark: readBytes });
  }
}
