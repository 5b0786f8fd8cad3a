import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { socketName } from './settings.ts';

/** The path of a Unix socket may have 103 bytes on macOS, 107 on Linux. */
const longestPath = 103;

/**
 * Absolute paths to the directories with the instances' sockets that are short enough to connect to.
 * The sockets are in the data directories; one that is too deep gets a symbolic link in the
 * directory for temporary files.
 */
export class SocketDirectories {
  readonly #recordFile: string;
  readonly #longest: number;
  #links: Promise<string> | undefined;
  readonly #known = new Map<string, Promise<string>>();

  /** @param recordFile remembers the links, so that a later run removes those of a run that was killed. */
  constructor(recordFile: string, longest = longestPath) {
    this.#recordFile = recordFile;
    this.#longest = longest;
  }

  /** The path to use for a data directory. */
  pathOf(dataDirectory: string): Promise<string> {
    const known = this.#known.get(dataDirectory) ?? this.#find(dataDirectory);
    this.#known.set(dataDirectory, known);
    return known;
  }

  /** Removes the links, those of an earlier run as well. */
  async dispose(): Promise<void> {
    this.#links = undefined;
    this.#known.clear();
    const directory = await readFile(this.#recordFile, 'utf8').catch(() => undefined);
    if (directory?.includes(prefix)) await rm(directory, { recursive: true, force: true });
    await rm(this.#recordFile, { force: true });
  }

  async #find(dataDirectory: string): Promise<string> {
    if (Buffer.byteLength(join(dataDirectory, socketName)) <= this.#longest) return dataDirectory;
    this.#links ??= this.#makeDirectory();
    const link = join(await this.#links, String(this.#known.size));
    await symlink(dataDirectory, link);
    return link;
  }

  async #makeDirectory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), prefix));
    await writeFile(this.#recordFile, directory, { mode: 0o600 });
    // A standby's user passes through; the data directories themselves stay private.
    await chmod(directory, 0o711);
    return directory;
  }
}

const prefix = 'mainstay-pg-';
