import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Default size at which a file is rotated: 10 MB. */
const defaultLimit = 10 * 1024 * 1024;

/**
 * A file that is appended to and stays bounded: at the limit it is renamed to `<file>.1`, in place
 * of the one before, and begun anew. Writes are synchronous, so that what was written is there
 * after a kill. Only the owner can read it.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #limit: number;
  #descriptor: number | undefined;
  #size = 0;

  constructor(path: string, limitBytes: number = defaultLimit) {
    this.#path = path;
    this.#limit = limitBytes;
  }

  append(text: string): void {
    const bytes = Buffer.from(text);
    let descriptor = this.#descriptor ?? this.#open();
    if (this.#size > 0 && this.#size + bytes.length > this.#limit) {
      this.close();
      renameSync(this.#path, `${this.#path}.1`);
      descriptor = this.#open();
    }
    writeSync(descriptor, bytes);
    this.#size += bytes.length;
  }

  /** Closes the file; a later write opens it again. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    this.#descriptor = openSync(this.#path, 'a', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
    return this.#descriptor;
  }
}
