import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { processStartTime } from '../process-identity.ts';
import type { Service } from '../service.ts';

const lockSchema = z.object({ pid: z.number().int().positive(), startedAt: z.string() });

/** The directory that holds everything a local runtime keeps; one runtime uses it at a time. */
export class StateDirectory implements Service {
  readonly name = 'state directory';
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Creates the directory and takes its lock. A lock left by a process that is gone is taken over.
   *
   * @throws when another runtime that is alive uses the directory.
   */
  async start(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    // Others may pass through to PostgreSQL's directories, which belong to another user when root starts it.
    await chmod(this.path, 0o711);
    const lock = JSON.stringify({ pid: process.pid, startedAt: await processStartTime(process.pid) });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        const file = await open(this.#lockFile, 'wx', 0o600);
        await file.writeFile(lock);
        await file.close();
        return;
      } catch (error) {
        if (!isExists(error)) throw error;
        await this.#removeLockOfTheDead();
      }
    }
    throw new Error(`Could not take the lock ${this.#lockFile}.`);
  }

  async stop(): Promise<void> {
    const owner = await this.#owner();
    if (owner?.pid === process.pid) await rm(this.#lockFile, { force: true });
  }

  /** The path of a file or directory in here. */
  join(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes a file that only its owner can read, all at once. */
  async writePrivate(name: string, content: string): Promise<void> {
    const target = this.join(name);
    const temporary = `${target}.${process.pid}.tmp`;
    await writeFile(temporary, content, { mode: 0o600 });
    await rename(temporary, target);
  }

  get #lockFile(): string {
    return this.join('lock');
  }

  async #owner(): Promise<z.infer<typeof lockSchema> | undefined> {
    const text = await readFile(this.#lockFile, 'utf8').catch(() => '');
    try {
      return lockSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  async #removeLockOfTheDead(): Promise<void> {
    const owner = await this.#owner();
    if (owner !== undefined && (await processStartTime(owner.pid)) === owner.startedAt) {
      throw new Error(
        `Another local runtime (process ${owner.pid}) uses ${this.path}. Stop it, or choose another directory with --state.`,
      );
    }
    await rm(this.#lockFile, { force: true });
  }
}

function isExists(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
