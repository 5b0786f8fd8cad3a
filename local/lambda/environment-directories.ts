import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { processStartTime } from '../process-identity.ts';

const ownerSchema = z.object({ pid: z.number().int().positive(), startedAt: z.string() });

/**
 * The private directories of execution environments. Beside each is a note of its process, so that
 * what a kill of everything left behind can be ended and removed by the next start.
 */
export class EnvironmentDirectories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The directory of one environment, for files of its function. */
  path(id: string): string {
    return join(this.#root, id);
  }

  create(id: string): void {
    mkdirSync(this.path(id), { recursive: true, mode: 0o700 });
  }

  /** Notes whose directory it is. */
  async own(id: string, pid: number): Promise<void> {
    const startedAt = await processStartTime(pid);
    if (startedAt !== undefined) {
      await writeFile(this.#note(id), JSON.stringify({ pid, startedAt }), { mode: 0o600 });
    }
  }

  async remove(id: string): Promise<void> {
    await rm(this.#note(id), { force: true });
    await rm(this.path(id), { recursive: true, force: true, maxRetries: 3 });
  }

  /** Ends processes and removes directories that an earlier host left behind. */
  async sweep(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#root)) {
      if (name.endsWith('.json')) await this.#endOwner(join(this.#root, name));
    }
    for (const name of await readdir(this.#root)) {
      await rm(join(this.#root, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #endOwner(note: string): Promise<void> {
    try {
      const owner = ownerSchema.parse(JSON.parse(await readFile(note, 'utf8')));
      // The id may belong to another process by now.
      if ((await processStartTime(owner.pid)) === owner.startedAt) process.kill(-owner.pid, 'SIGKILL');
    } catch {
      // Unreadable, or gone already: nothing to end.
    }
  }

  #note(id: string): string {
    return join(this.#root, `${id}.json`);
  }
}
