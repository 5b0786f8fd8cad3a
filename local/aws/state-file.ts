import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as z from 'zod';

/**
 * JSON state of one service in one file of mode 0600. It is replaced as a whole by a rename, so that
 * a process killed in the middle of a write leaves the earlier state.
 */
export class StateFile<T> {
  readonly path: string;
  /** What is stored; changed in place, then {@link save}d. */
  readonly state: T;
  #writing: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  /**
   * Reads the file, or starts with `initial` when there is none.
   *
   * Throws when the file exists and is not what `schema` describes: data is never replaced silently.
   */
  constructor(path: string, schema: z.ZodType<T>, initial: T) {
    this.path = path;
    this.state = read(path, schema) ?? initial;
  }

  /** Resolves when everything changed before the call is on disk. Calls during a write share the next one. */
  save(): Promise<void> {
    this.#waiting ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        this.#writing = write(this.path, JSON.stringify(this.state));
        return this.#writing;
      });
    return this.#waiting;
  }
}

function read<T>(path: string, schema: z.ZodType<T>): T | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} is not a state file of this version; remove it to start afresh`, { cause });
  }
}

async function write(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  renameSync(temporary, path);
}
