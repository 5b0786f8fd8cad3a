import { join } from 'node:path';
import { RotatingFile } from './rotating-file.ts';

/** One line of a function's log. */
export interface LogLine {
  functionName: string;
  /** None for lines written while the bundle is loaded, and for lines of the host. */
  requestId: string | undefined;
  /** `host` for what the host itself has to say, for example that an event was given up. */
  stream: 'stdout' | 'stderr' | 'host';
  text: string;
  timestampMs: number;
}

export type LogListener = (line: LogLine) => void;

/** The logs of all functions: one bounded file each, `<directory>/<function>.log`, and listeners. */
export class FunctionLogs {
  readonly directory: string;
  readonly #files = new Map<string, RotatingFile>();
  readonly #listeners = new Set<LogListener>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The log file of a function. */
  path(functionName: string): string {
    return join(this.directory, `${functionName}.log`);
  }

  write(line: Omit<LogLine, 'timestampMs'>): void {
    const file = this.#files.get(line.functionName) ?? new RotatingFile(this.path(line.functionName));
    this.#files.set(line.functionName, file);
    file.append(`${line.text}\n`);
    const full: LogLine = { ...line, timestampMs: Date.now() };
    for (const listener of this.#listeners) listener(full);
  }

  /** Calls the listener with every line from now on. Returns how to stop that. */
  listen(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}
