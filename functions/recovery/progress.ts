import type { ChunkProgress, ShardRecord } from './catalog/chunk-catalog.ts';
import { addStages } from './chunks/copy-chunk.ts';
import type { ShardName } from './ids.ts';
import type { Progress, ShardBackup, Stage, StageTotals } from './model.ts';
import { stageSchema } from './model.ts';

const noStages = addStages([]);
const stages = stageSchema.options;

/** The progress of a backup, merged from its shards and chunks. */
export interface MergedProgress {
  readonly progress: Progress;
  readonly shardDetails: ShardBackup[];
  readonly rows: number;
}

/** Adds up, without keeping the chunks: there may be a hundred thousand. */
export class ProgressMerge {
  readonly #shards = new Map<ShardName, ShardSum>();
  #firstStart: number | undefined;
  #lastStored = 0;

  add(chunk: ChunkProgress): void {
    const sum = this.#shards.get(chunk.shard) ?? new ShardSum();
    this.#shards.set(chunk.shard, sum);
    sum.add(chunk);
    const started = Date.parse(chunk.startedAt);
    this.#firstStart = Math.min(this.#firstStart ?? started, started);
    this.#lastStored = Math.max(this.#lastStored, Date.parse(chunk.storedAt));
  }

  /**
   * @param expected the shards that the backup is of; some may have no record yet.
   * @param until the time now, or when the backup ended.
   * @param stage where the whole backup is, when that is not for a shard to say.
   */
  merge(
    expected: readonly ShardName[],
    records: readonly ShardRecord[],
    until: number,
    stage?: Stage,
  ): MergedProgress {
    const byName = new Map(records.map((record) => [record.shard, record]));
    const shardDetails = expected.map((shard) =>
      (this.#shards.get(shard) ?? new ShardSum()).describe(shard, byName.get(shard)),
    );
    const total = (value: (shard: ShardBackup) => number) =>
      shardDetails.reduce((sum, shard) => sum + value(shard), 0);
    const chunksTotal = shardDetails.every((shard) => shard.chunksTotal !== null)
      ? total((shard) => shard.chunksTotal ?? 0)
      : null;
    const chunksDone = total((shard) => shard.chunksDone);
    const bytesRead = total((shard) => shard.bytesRead);
    const bytesStored = total((shard) => shard.bytesStored);
    const end = chunksDone === chunksTotal ? this.#lastStored : until;
    const elapsedMs = this.#firstStart === undefined ? 0 : Math.max(1, end - this.#firstStart);
    const progress: Progress = {
      stage: stage ?? furthestBehind(shardDetails),
      chunksDone,
      chunksStored: [...this.#shards.values()].reduce((sum, { stored }) => sum + stored, 0),
      chunksTotal,
      bytesRead,
      bytesStored,
      bytesPerSecond: elapsedMs === 0 ? 0 : Math.round((bytesRead * 1000) / elapsedMs),
      ratio: bytesStored === 0 ? null : Number((bytesRead / bytesStored).toFixed(3)),
      etaMs: etaMs(chunksDone, chunksTotal, elapsedMs),
    };
    return { progress, shardDetails, rows: total((shard) => shard.rows) };
  }
}

function etaMs(done: number, total: number | null, elapsedMs: number): number | null {
  if (total === null || done === 0) return null;
  return Math.round((elapsedMs / done) * (total - done));
}

function furthestBehind(shards: readonly ShardBackup[]): Stage {
  const behind = Math.min(...shards.map(({ stage }) => stages.indexOf(stage)));
  return stages[behind] ?? 'planning';
}

class ShardSum {
  stored = 0;
  #verified = 0;
  #rows = 0;
  #bytesRead = 0;
  #bytesStored = 0;
  #stages: StageTotals = noStages;

  add(chunk: ChunkProgress): void {
    this.stored++;
    if (chunk.verifiedAt !== undefined) this.#verified++;
    this.#rows += chunk.rows;
    this.#bytesRead += chunk.bytesRead;
    this.#bytesStored += chunk.bytesStored;
    this.#stages = addStages([this.#stages, chunk.stages]);
  }

  describe(shard: ShardName, record: ShardRecord | undefined): ShardBackup {
    return {
      shard,
      stage: record?.stage ?? 'planning',
      snapshotAt: record?.origin?.instant ?? null,
      relations: record?.relations ?? null,
      chunksTotal: record?.chunksTotal ?? null,
      chunksDone: this.#verified,
      rows: this.#rows,
      bytesRead: this.#bytesRead,
      bytesStored: this.#bytesStored,
      stages: this.#stages,
    };
  }
}
