import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';
import type { FileEntry, FilesItem } from './model.ts';
import { readAhead } from './read-ahead.ts';
import { type FilesSource, readFile } from './read-file.ts';

/** Small files that are read at once: they bound the memory, at less than 1 MiB each. */
const width = 16;

/** A pack of files on its way: a tar archive, and what became known of each file. */
export interface Pack {
  readonly content: AsyncIterable<Buffer>;
  /** By position in `files`; complete when the content has ended. */
  readonly entries: readonly Omit<FileEntry, 'parts'>[];
}

/** Name of a file in its pack: its position. Keys may be anything, also what no file system takes. */
export const nameInPack = (position: number): string => String(position).padStart(4, '0');

/**
 * Packs small files into a tar archive as they are read, in their order.
 *
 * @throws from `content`: IncompleteBackupError naming a file that is gone for good. DependencyError
 */
export function packFiles(source: FilesSource, files: FilesItem): Pack {
  const entries: Omit<FileEntry, 'parts'>[] = [];
  const archive = pack();
  const fill = async (): Promise<void> => {
    const read = readAhead(files, width, async (file) => ({ file, ...(await readFile(source, file)) }));
    for await (const { file, content, headers, metadata, tags } of read) {
      const { key, versionId, size, lastModified } = file;
      const name = nameInPack(entries.length);
      const sha256 = createHash('sha256').update(content).digest('hex');
      entries.push({ key, versionId, size, lastModified, headers, metadata, tags, sha256 });
      await new Promise<void>((resolve, reject) => {
        archive.entry({ name, size, mtime: new Date(lastModified) }, content, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
    archive.finalize();
  };
  async function* contentOf(): AsyncGenerator<Buffer> {
    const filling = fill().catch((error: unknown) => {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    try {
      for await (const piece of archive) if (piece instanceof Uint8Array) yield Buffer.from(piece);
    } finally {
      archive.destroy();
      await filling;
    }
  }
  return { content: contentOf(), entries };
}
