import type * as z from 'zod';
import {
  type ConfigurationRestore,
  configurationRestoreSchema,
  type FilesRestorePlan,
  filesRestorePlanSchema,
  type RestoredFiles,
  restoredFilesSchema,
} from '../files/restore-model.ts';
import type { RestoreId, ShardName } from '../ids.ts';
import type { LeftOut } from '../restore/model.ts';
import { type RestoredCluster, restoredClusterSchema } from '../restore/point-in-time/record.ts';
import type { Item, RecoveryTable } from './recovery-table.ts';
import { restorePartition } from './restore-catalog.ts';
import {
  type Compared,
  comparedSchema,
  type Loaded,
  leftOutRecordSchema,
  loadedSchema,
  type RestoredShard,
  restoredShardSchema,
} from './restore-record.ts';

const prefixes = {
  shard: 'SHARD#',
  loaded: 'LOADED#',
  compared: 'COMPARED#',
  leftOut: 'LEFTOUT#',
  cluster: 'CLUSTER#',
  files: 'FILES#',
} as const;

const configurationSort = 'CONFIGURATION';
const filesPlanSort = 'FILESPLAN';

/** A year: who restored what, and whether it was the same, is asked for long afterwards. */
const keepSeconds = 365 * 24 * 60 * 60;
/** Statements that are noted for a shard; there may be one for every table. */
const maxLeftOut = 1_000;

/**
 * The parts of one restore: an item for each shard, each loaded and each compared item. Nothing counts up; whoever
 * wants totals merges them, so that doing a step twice changes nothing.
 */
export class RestoreNotes {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #now: () => number;

  constructor(table: RecoveryTable, id: RestoreId, now: () => number = Date.now) {
    this.#table = table;
    this.#pk = restorePartition(id);
    this.#now = now;
  }

  async setShard(shard: ShardName, values: Partial<RestoredShard>): Promise<void> {
    const key = { pk: this.#pk, sk: `${prefixes.shard}${shard}` };
    await this.#table.set(key, { ...values, shard, expiresAt: this.#expiresAt() });
  }

  shards(): Promise<RestoredShard[]> {
    return this.#all(prefixes.shard, restoredShardSchema);
  }

  /** Notes of a restore to a point in time. */
  async setCluster(shard: ShardName, values: Partial<RestoredCluster>): Promise<void> {
    const key = { pk: this.#pk, sk: `${prefixes.cluster}${shard}` };
    await this.#table.set(key, { ...values, shard, expiresAt: this.#expiresAt() });
  }

  clusters(): Promise<RestoredCluster[]> {
    return this.#all(prefixes.cluster, restoredClusterSchema);
  }

  async putLoaded(loaded: Loaded): Promise<void> {
    await this.#put(`${prefixes.loaded}${loaded.shard}#${loaded.item}`, loaded);
  }

  loaded(): Promise<Loaded[]> {
    return this.#all(prefixes.loaded, loadedSchema);
  }

  async putCompared(compared: Compared): Promise<void> {
    await this.#put(`${prefixes.compared}${compared.shard}#${compared.item}`, compared);
  }

  compared(): Promise<Compared[]> {
    return this.#all(prefixes.compared, comparedSchema);
  }

  /** Notes what became of one item of files; doing it again replaces the note. */
  async putFiles(files: RestoredFiles): Promise<void> {
    await this.#put(`${prefixes.files}${String(files.item).padStart(6, '0')}`, files);
  }

  files(): Promise<RestoredFiles[]> {
    return this.#all(prefixes.files, restoredFilesSchema);
  }

  async putFilesPlan(plan: FilesRestorePlan): Promise<void> {
    await this.#put(filesPlanSort, plan);
  }

  async filesPlan(): Promise<FilesRestorePlan | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: filesPlanSort });
    return item === undefined ? undefined : filesRestorePlanSchema.parse(item);
  }

  async putConfiguration(configuration: ConfigurationRestore): Promise<void> {
    await this.#put(configurationSort, configuration);
  }

  async configuration(): Promise<ConfigurationRestore | undefined> {
    const item = await this.#table.get({ pk: this.#pk, sk: configurationSort });
    return item === undefined ? undefined : configurationRestoreSchema.strip().parse(item);
  }

  /** @param group a second call for the same group replaces what the first one noted. */
  async putLeftOut(
    shard: ShardName,
    group: 'ddl' | 'settings',
    statements: readonly LeftOut[],
  ): Promise<void> {
    for (const [index, statement] of statements.slice(0, maxLeftOut).entries()) {
      const number = String(index).padStart(4, '0');
      await this.#put(`${prefixes.leftOut}${shard}#${group}#${number}`, { ...statement, shard });
    }
  }

  leftOut(): Promise<(LeftOut & { shard: ShardName })[]> {
    return this.#all(prefixes.leftOut, leftOutRecordSchema);
  }

  async #put(sk: string, item: Item): Promise<void> {
    await this.#table.put({ pk: this.#pk, sk, ...item, expiresAt: this.#expiresAt() });
  }

  async #all<S extends z.ZodType>(prefix: string, schema: S): Promise<z.output<S>[]> {
    const found: z.output<S>[] = [];
    for await (const item of this.#table.query({ pk: this.#pk, prefix })) found.push(schema.parse(item));
    return found;
  }

  #expiresAt(): number {
    return Math.floor(this.#now() / 1000) + keepSeconds;
  }
}
