import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type * as z from 'zod';
import type { WorkObject } from '../catalog/snapshot-store.ts';
import { IncompleteBackupError } from '../errors.ts';
import type { Bucket } from '../objects/bucket.ts';
import { upload } from '../objects/upload.ts';

/** Lines are put together to pieces of about this size. */
const pieceBytes = 64 * 1024;
/** The longest line: a key, its metadata and its tags have a few kilobytes. */
const maximumLine = 1024 * 1024;

/** JSON values as text, one a line. */
export async function* toLines(values: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const value of values) {
    text += `${JSON.stringify(value)}\n`;
    if (text.length < pieceBytes) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  if (text !== '') yield Buffer.from(text, 'utf8');
}

/** The values of `toLines`. @throws IncompleteBackupError when a line is none. */
export async function* fromLines<S extends z.ZodType>(
  pieces: AsyncIterable<Buffer>,
  schema: S,
): AsyncGenerator<z.output<S>> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    let data = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      yield parseLine(data.subarray(0, end), schema);
      data = data.subarray(end + 1);
    }
    if (data.length > maximumLine) throw new IncompleteBackupError('A line of the list of files has no end.');
    rest = data;
  }
  if (rest.length > 0) throw new IncompleteBackupError('The list of files ends within a line.');
}

function parseLine<S extends z.ZodType>(line: Buffer, schema: S): z.output<S> {
  const parsed = schema.safeParse(toJson(line.toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new IncompleteBackupError(`A line of the list of files is none: ${parsed.error.issues[0]?.message}`);
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Leaves values in the store for a later function, however many there are. @throws DependencyError */
export async function leaveLines(
  bucket: Bucket,
  key: string,
  values: AsyncIterable<unknown>,
): Promise<WorkObject> {
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const piece of toLines(values)) {
      hash.update(piece);
      yield piece;
    }
  }
  const target = { bucket: bucket.name, key, contentType: 'application/x-ndjson' };
  const versionId = await upload(bucket.s3, target, Readable.from(hashed()));
  return { key, versionId, sha256: hash.digest('hex') };
}

/** Reads what `leaveLines` left. @throws IncompleteBackupError at its end when it was not that. DependencyError */
export async function* pickUpLines<S extends z.ZodType>(
  bucket: Bucket,
  object: WorkObject,
  schema: S,
): AsyncGenerator<z.output<S>> {
  const body = (await bucket.open(object))?.Body;
  if (!(body instanceof Readable)) throw new IncompleteBackupError(`${object.key} is missing.`);
  const hash = createHash('sha256');
  async function* hashed(source: Readable): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      hash.update(piece);
      yield piece;
    }
  }
  yield* fromLines(hashed(body), schema);
  if (hash.digest('hex') !== object.sha256) {
    throw new IncompleteBackupError(`${object.key} is not as it was written.`);
  }
}
