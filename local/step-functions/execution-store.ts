import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { StateFile } from '../aws/state-file.ts';
import { type ExecutionRecord, executionRecordSchema } from './execution-record.ts';
import type { HistoryEvent } from './history.ts';

const historyEventSchema = z.object({
  id: z.number(),
  previousEventId: z.number(),
  timestamp: z.number(),
  type: z.string(),
  detailsName: z.string().optional(),
  details: z.record(z.string(), z.json()).optional(),
});

/** Executions on disk: a record and a history each, and the definitions they ran. */
export class ExecutionStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, 'executions'), { recursive: true, mode: 0o700 });
    mkdirSync(join(directory, 'definitions'), { recursive: true, mode: 0o700 });
  }

  /** All records, as earlier runs left them. */
  load(): StateFile<ExecutionRecord>[] {
    const directory = join(this.#directory, 'executions');
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => existing(join(directory, file)));
  }

  /** The file of a new execution; nothing is written yet. */
  create(record: ExecutionRecord): StateFile<ExecutionRecord> {
    return new StateFile(this.#path(record.executionArn, 'json'), executionRecordSchema, record);
  }

  async remove(executionArn: string): Promise<void> {
    await rm(this.#path(executionArn, 'history.jsonl'), { force: true });
    await rm(this.#path(executionArn, 'json'), { force: true });
  }

  /** Opens the history of an execution for writing. */
  history(executionArn: string): HistoryFile {
    return new HistoryFile(this.#path(executionArn, 'history.jsonl'));
  }

  /** Reads the history of an execution, oldest event first. */
  async *readHistory(executionArn: string): AsyncGenerator<HistoryEvent> {
    const path = this.#path(executionArn, 'history.jsonl');
    if (!existsSync(path)) return;
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const event = parseEvent(line);
      if (event !== undefined) yield event;
    }
  }

  /** Keeps a definition. @returns its hash */
  async saveDefinition(definition: string): Promise<string> {
    const hash = createHash('sha256').update(definition).digest('hex');
    await writeFile(join(this.#directory, 'definitions', `${hash}.json`), definition, { mode: 0o600 });
    return hash;
  }

  readDefinition(hash: string): Promise<string> {
    return readFile(join(this.#directory, 'definitions', `${hash}.json`), 'utf8');
  }

  // Names of executions may differ in case only, which some file systems do not tell apart.
  #path(executionArn: string, extension: string): string {
    const hash = createHash('sha256').update(executionArn).digest('hex').slice(0, 32);
    return join(this.#directory, 'executions', `${hash}.${extension}`);
  }
}

/** Appends events in the background, in order. */
export class HistoryFile {
  readonly #path: string;
  #buffer: string[] = [];
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  write(event: HistoryEvent): void {
    this.#buffer.push(`${JSON.stringify(event)}\n`);
    this.#writing ??= this.#drain();
  }

  /** Resolves when everything written so far is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // Events of the same moment go to the file together.
    await new Promise(setImmediate);
    while (this.#buffer.length > 0) {
      const lines = this.#buffer;
      this.#buffer = [];
      await appendFile(this.#path, lines.join(''), { mode: 0o600 });
    }
    this.#writing = undefined;
  }
}

function existing(path: string): StateFile<ExecutionRecord> {
  return new StateFile(path, executionRecordSchema, {
    executionArn: '',
    name: '',
    stateMachineArn: '',
    stateMachineName: '',
    roleArn: '',
    definition: '',
    status: 'ABORTED',
    startedAt: 0,
    input: '',
    announced: true,
  });
}

/** A line that a kill cut off is left out. */
function parseEvent(line: string): HistoryEvent | undefined {
  try {
    const { detailsName, details, ...event } = historyEventSchema.parse(JSON.parse(line));
    return {
      ...event,
      ...(detailsName === undefined ? {} : { detailsName }),
      ...(details === undefined ? {} : { details }),
    };
  } catch {
    return undefined;
  }
}
