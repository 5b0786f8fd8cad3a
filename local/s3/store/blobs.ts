import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFile } from '../model.ts';

/** Bytes gathered before they are written: one system call per MiB instead of one per network packet. */
const batchBytes = 1024 * 1024;

/**
 * The files that hold objects' bytes, under names of their own: an object's key never becomes a path.
 * A file is written in `staging/`, renamed into `data/` when its metadata is committed, and never
 * changed after that.
 */
export class BlobStore {
  readonly #staging: string;
  readonly #data: string;
  readonly #directories = new Set<string>();
  readonly #readers = new Map<string, number>();
  readonly #doomed = new Set<string>();

  constructor(directory: string) {
    this.#staging = join(directory, 'staging');
    this.#data = join(directory, 'data');
  }

  /** Makes the directories, and removes what an earlier process left behind: files that `isKnown` denies. */
  open(isKnown: (file: string) => boolean): void {
    rmSync(this.#staging, { recursive: true, force: true });
    mkdirSync(this.#staging, { recursive: true });
    mkdirSync(this.#data, { recursive: true });
    for (const directory of readdirSync(this.#data)) {
      for (const file of readdirSync(join(this.#data, directory))) {
        if (!isKnown(file)) unlinkSync(join(this.#data, directory, file));
      }
    }
  }

  /** Where a stored file is. */
  path(file: string): string {
    return join(this.#data, file.slice(0, 2), file);
  }

  /**
   * Writes bytes to a new file outside the store. Only about one MiB is held in memory.
   *
   * @param onChunk sees every chunk before it is written; what it throws ends the writing.
   */
  async stage(source: AsyncIterable<Uint8Array>, onChunk: (chunk: Uint8Array) => void): Promise<DataFile> {
    const file = randomBytes(16).toString('hex');
    const handle = await open(join(this.#staging, file), 'wx', 0o600);
    let size = 0;
    try {
      try {
        let batch: Uint8Array[] = [];
        let batched = 0;
        let writing = Promise.resolve();
        for await (const chunk of source) {
          onChunk(chunk);
          size += chunk.byteLength;
          batch.push(chunk);
          batched += chunk.byteLength;
          if (batched < batchBytes) continue;
          await writing;
          writing = writeAll(handle, batch);
          // Awaited in the next turn; until then a failure must not count as unhandled.
          writing.catch(() => undefined);
          batch = [];
          batched = 0;
        }
        await writing;
        await writeAll(handle, batch);
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.discard(file);
      throw error;
    }
    return { file, size };
  }

  /** Moves a staged file into the store. */
  publish(file: string): void {
    const directory = join(this.#data, file.slice(0, 2));
    if (!this.#directories.has(directory)) {
      mkdirSync(directory, { recursive: true });
      this.#directories.add(directory);
    }
    renameSync(join(this.#staging, file), this.path(file));
  }

  /** Removes a staged file, whether or not it has been published. */
  discard(file: string): void {
    rmSync(join(this.#staging, file), { force: true });
    rmSync(this.path(file), { force: true });
  }

  /** Removes stored files as soon as nobody reads them. */
  remove(files: Iterable<string>): void {
    for (const file of files) {
      if (this.#readers.has(file)) this.#doomed.add(file);
      else rmSync(this.path(file), { force: true });
    }
  }

  /** Keeps files from being removed until {@link unpin}. */
  pin(files: readonly DataFile[]): void {
    for (const { file } of files) this.#readers.set(file, (this.#readers.get(file) ?? 0) + 1);
  }

  unpin(files: readonly DataFile[]): void {
    for (const { file } of files) {
      const readers = (this.#readers.get(file) ?? 1) - 1;
      if (readers > 0) {
        this.#readers.set(file, readers);
        continue;
      }
      this.#readers.delete(file);
      if (this.#doomed.delete(file)) rmSync(this.path(file), { force: true });
    }
  }
}

async function writeAll(handle: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  const total = batch.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  if (total === 0) return;
  const { bytesWritten } = await handle.writev(batch);
  if (bytesWritten === total) return;
  // A short write: the rest goes on its own, where an error such as a full disk then shows.
  await handle.writeFile(Buffer.concat(batch).subarray(bytesWritten));
}
