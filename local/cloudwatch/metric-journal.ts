import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { appendFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import type { MetricDatum } from './metric.ts';
import { MetricSeries, seriesSchema } from './metric-series.ts';

const datumSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  dimensions: z.record(z.string(), z.string()),
  values: z.array(z.number()),
  counts: z.array(z.number()).optional(),
  unit: z.string().optional(),
  timestamp: z.number(),
  highResolution: z.boolean().optional(),
});
const snapshotSchema = z.object({ generation: z.number(), series: z.array(seriesSchema) });

const fourMebibytes = 4 * 1024 * 1024;

/**
 * Metrics on disk: a snapshot, and a journal of what came after it. Each snapshot says with which
 * journal it goes on, so that a kill at any moment loses no value and counts none twice.
 */
export class MetricJournal {
  readonly #directory: string;
  readonly #foldBytes: number;
  #generation = 0;
  #buffer: string[] = [];
  #writing: Promise<void> = Promise.resolve();

  /** @param foldBytes the journal is folded into a snapshot when it is this long */
  constructor(directory: string, foldBytes: number = fourMebibytes) {
    this.#directory = directory;
    this.#foldBytes = foldBytes;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Reads what is kept: the metrics of the snapshot, and the values that came after it. */
  async load(): Promise<{ series: MetricSeries[]; since: MetricDatum[] }> {
    const snapshot = existsSync(this.#snapshotPath)
      ? snapshotSchema.parse(JSON.parse(await readFile(this.#snapshotPath, 'utf8')))
      : { generation: 0, series: [] };
    this.#generation = snapshot.generation;
    const since: MetricDatum[] = [];
    for (const generation of this.#generations()) {
      if (generation < snapshot.generation) await rm(this.#path(generation), { force: true });
      else since.push(...(await this.#read(generation)));
      this.#generation = Math.max(this.#generation, generation);
    }
    return { series: snapshot.series.map((stored) => MetricSeries.from(stored)), since };
  }

  /** Takes a value down; it is on disk after the next {@link flush}. */
  append(datum: MetricDatum): void {
    this.#buffer.push(`${JSON.stringify(datum)}\n`);
  }

  /** Writes what was appended, and folds the journal when it has become long. */
  flush(all: () => Iterable<MetricSeries>): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write(all));
    return this.#writing;
  }

  async #write(all: () => Iterable<MetricSeries>): Promise<void> {
    if (this.#buffer.length === 0) return;
    const lines = this.#buffer;
    this.#buffer = [];
    const path = this.#path(this.#generation);
    await appendFile(path, lines.join(''), { mode: 0o600 });
    if ((await stat(path)).size >= this.#foldBytes) await this.#fold(all);
  }

  async #fold(all: () => Iterable<MetricSeries>): Promise<void> {
    // Taken together: the snapshot holds all that was appended until now, what follows goes to the next journal.
    const before = this.#generation;
    const generation = before + 1;
    const text = JSON.stringify({ generation, series: [...all()] });
    this.#buffer = [];
    this.#generation = generation;
    const temporary = `${this.#snapshotPath}.new`;
    await writeFile(temporary, text, { mode: 0o600 });
    renameSync(temporary, this.#snapshotPath);
    await rm(this.#path(before), { force: true });
  }

  async #read(generation: number): Promise<MetricDatum[]> {
    const data: MetricDatum[] = [];
    for await (const line of createInterface({ input: createReadStream(this.#path(generation)) })) {
      const datum = parseLine(line);
      if (datum !== undefined) data.push(datum);
    }
    return data;
  }

  #generations(): number[] {
    return readdirSync(this.#directory)
      .map((file) => Number(/^metrics\.(\d+)\.jsonl$/.exec(file)?.[1] ?? Number.NaN))
      .filter((generation) => !Number.isNaN(generation))
      .sort((a, b) => a - b);
  }

  get #snapshotPath(): string {
    return join(this.#directory, 'metrics.json');
  }

  #path(generation: number): string {
    return join(this.#directory, `metrics.${generation}.jsonl`);
  }
}

/** A line that a kill cut off is left out. */
function parseLine(line: string): MetricDatum | undefined {
  try {
    const { counts, unit, highResolution, ...datum } = datumSchema.parse(JSON.parse(line));
    return {
      ...datum,
      ...(counts === undefined ? {} : { counts }),
      ...(unit === undefined ? {} : { unit }),
      ...(highResolution === undefined ? {} : { highResolution }),
    };
  } catch {
    return undefined;
  }
}
