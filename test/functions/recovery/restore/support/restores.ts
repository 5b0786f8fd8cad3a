import { ulid } from 'ulid';
import { prepareRestores } from '../../../../../functions/bootstrap/prepare-restores.ts';
import { systemClock } from '../../../../../functions/recovery/clock.ts';
import { combineDigests } from '../../../../../functions/recovery/digest.ts';
import { type RestoreId, restoreIdSchema } from '../../../../../functions/recovery/ids.ts';
import type { Manifest, ManifestShard } from '../../../../../functions/recovery/manifest/manifest.ts';
import {
  type ComparedTable,
  compareRows,
  planComparison,
} from '../../../../../functions/recovery/restore/engine/compare.ts';
import {
  completeTarget,
  finishTarget,
} from '../../../../../functions/recovery/restore/engine/finish-target.ts';
import { loadObjects } from '../../../../../functions/recovery/restore/engine/load-objects.ts';
import {
  type EngineDependencies,
  type EngineResult,
  prepareTarget,
  type TargetWork,
} from '../../../../../functions/recovery/restore/engine/prepare-target.ts';
import type { LeftOut } from '../../../../../functions/recovery/restore/model.ts';
import { pgDump } from '../../../../../functions/recovery/schema/pg-dump.ts';
import { qualifiedName } from '../../../../../functions/recovery/snapshot/sql.ts';
import { BackupRun, type CompleteOptions } from '../../support/run-backup.ts';
import { type Aws, type Database, startAwsWorld, startDatabase } from '../../support/world.ts';

/** The shard of a backup, and what a restore of it works with. */
export interface Restoring {
  readonly work: TargetWork;
  readonly shard: ManifestShard;
}

/** One server and one store, prepared as a deployment prepares them for backups and restores. */
export class Restores {
  readonly world: Aws;
  readonly database: Database;

  private constructor(world: Aws, database: Database) {
    this.world = world;
    this.database = database;
  }

  static async start(): Promise<Restores> {
    const [world, database] = await Promise.all([startAwsWorld(), startDatabase()]);
    await database.create('');
    const owner = await database.asOwner();
    await prepareRestores(owner, database.asOwner);
    await owner.end();
    return new Restores(world, database);
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.world.close();
  }

  /** What the engine works with; statements may take a minute. */
  get deps(): EngineDependencies {
    return {
      connect: this.database.asRestore,
      clock: systemClock,
      place: this.world.verifyPlace,
      deadline: Date.now() + 60_000,
    };
  }

  /** Makes a database of `sql`, backs it up, and plans a restore of it into a new one. */
  async backUp(
    sql: string,
    options: CompleteOptions = {},
  ): Promise<Restoring & { name: string; manifest: Manifest }> {
    const name = await this.database.create(sql);
    const { manifest } = await new BackupRun(this.world, this.database, name).complete({
      targetBytes: 256 * 1024,
      ...options,
    });
    return { name, manifest: manifest.manifest, ...this.plan(manifest.manifest) };
  }

  /** A restore, of all tables or of some. */
  plan(manifest: Manifest, tables?: readonly string[]): Restoring {
    const [shard] = manifest.shards;
    if (shard === undefined) throw new Error('The manifest has no shard');
    const restoreId = restoreIdSchema.parse(ulid());
    const { preData, postData, sequences, server, extensions, roles } = shard;
    const chosen = shard.tables.filter(({ name }) => tables?.includes(name) ?? true);
    const plan = {
      ...{ preData, postData, sequences, server, extensions, roles },
      tables: chosen,
      partial: tables !== undefined || manifest.tenant !== undefined,
      oneSchema: manifest.tenant?.by === 'schema',
    };
    return { shard, work: { restoreId, database: `restored_${restoreId.toLowerCase()}`, plan } };
  }

  /** Another restore of the same. */
  again({ work, shard }: Restoring): Restoring {
    const restoreId = restoreIdSchema.parse(ulid());
    return { shard, work: { ...work, restoreId, database: `restored_${restoreId.toLowerCase()}` } };
  }

  prepare = (work: TargetWork): Promise<EngineResult> => prepareTarget(this.deps, work);

  /** Loads all objects of the tables that are restored, several at once. */
  async load({ work, shard }: Restoring): Promise<number> {
    const oids = new Set(work.plan.tables.map(({ oid }) => oid));
    const objects = shard.chunks.filter(({ rows }) => rows !== undefined && oids.has(rows.range.oid));
    const halves = [0, 1].map((half) => objects.filter((_, index) => index % 2 === half));
    const loaded = await Promise.all(
      halves.map((own, item) =>
        loadObjects(this.deps, work.database, work.plan.tables, { item, objects: own }),
      ),
    );
    return loaded.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** The names of tables that are not as the manifest says. */
  async differences({ work: { database, plan } }: Restoring): Promise<string[]> {
    const items = await planComparison(this.deps, database, plan.tables, 64 * 1024);
    const found: ComparedTable[] = [];
    for (const item of items) found.push(...(await compareRows(this.deps, database, plan.tables, item)));
    return plan.tables.flatMap((table) => {
      const own = found.filter((part) => part.table === table.oid);
      const rows = own.reduce((sum, part) => sum + part.rows, 0);
      const same = rows === table.rows && combineDigests(own.map(({ digest }) => digest)) === table.digest;
      return same ? [] : [qualifiedName(table)];
    });
  }

  /** Everything in order; answers what was left out. */
  async complete(restoring: Restoring): Promise<readonly LeftOut[]> {
    const { work } = restoring;
    await this.prepare(work);
    await this.load(restoring);
    const finished = await finishTarget(this.deps, work);
    if (finished.outcome === 'again') throw new Error('It took longer than a minute');
    await completeTarget(this.deps, work.database, work.restoreId);
    return finished.leftOut;
  }

  /** The whole DDL of a database as its owner sees it. */
  async ddl(name: string): Promise<string> {
    const client = await this.database.asOwner(name);
    try {
      const sql = await pgDump(client, { args: ['--schema-only'], timeoutMs: 30_000 });
      return sql.replace(/^\\(un)?restrict .*$/gm, '');
    } finally {
      await client.end();
    }
  }

  /** Rows of a query as the database's owner. */
  async query(name: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = await this.database.asOwner(name);
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  newId = (): RestoreId => restoreIdSchema.parse(ulid());
}
