import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const recordSchema = z.object({
  requestId: z.string(),
  functionName: z.string(),
  /** As the caller named it, with its qualifier. */
  functionArn: z.string(),
  acceptedAtMs: z.number(),
  /** How often the function has been run for it. */
  attempts: z.number().int(),
  /** Not before this time, in ms since the epoch. */
  notBeforeMs: z.number(),
  traceHeader: z.string().optional(),
  payload: z.string(),
});

/** An accepted asynchronous invocation, as it is kept until it is done with. */
export type EventRecord = z.infer<typeof recordSchema>;

/** What is kept in memory about an event; its payload stays on disk. */
export type EventEntry = Omit<EventRecord, 'payload'>;

/** Accepted events, one file each, so that a kill of everything loses none. */
export class EventStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Stores an event, all at once: a reader sees the old state or the new one. */
  async put(record: EventRecord): Promise<void> {
    const file = this.#file(record.requestId);
    await writeFile(`${file}.tmp`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  }

  /** An event with its payload; undefined when it is not there or not readable. */
  async get(requestId: string): Promise<EventRecord | undefined> {
    try {
      return recordSchema.parse(JSON.parse(await readFile(this.#file(requestId), 'utf8')));
    } catch {
      return undefined;
    }
  }

  async remove(requestId: string): Promise<void> {
    await rm(this.#file(requestId), { force: true });
  }

  /** Every stored event, the oldest first. What was being written when all was killed is removed. */
  async load(): Promise<EventEntry[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const entries: EventEntry[] = [];
    for (const name of await readdir(this.#directory)) {
      if (name.endsWith('.tmp')) await rm(join(this.#directory, name), { force: true });
      const record = name.endsWith('.json') ? await this.get(name.slice(0, -'.json'.length)) : undefined;
      if (record === undefined) continue;
      const { payload: _, ...entry } = record;
      entries.push(entry);
    }
    return entries.sort((a, b) => a.acceptedAtMs - b.acceptedAtMs);
  }

  #file(requestId: string): string {
    return join(this.#directory, `${requestId}.json`);
  }
}
