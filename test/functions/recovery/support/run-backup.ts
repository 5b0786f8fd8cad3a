import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { AssistanceRequests } from '../../../../functions/recovery/catalog/assistance.ts';
import type { BackupRecord } from '../../../../functions/recovery/catalog/backup-record.ts';
import { ChunkCatalog } from '../../../../functions/recovery/catalog/chunk-catalog.ts';
import { ComponentCatalog } from '../../../../functions/recovery/catalog/component-catalog.ts';
import { SnapshotStore } from '../../../../functions/recovery/catalog/snapshot-store.ts';
import { describeShard } from '../../../../functions/recovery/chunks/describe-shard.ts';
import { planShard } from '../../../../functions/recovery/chunks/plan-shard.ts';
import { runChunk } from '../../../../functions/recovery/chunks/run-chunk.ts';
import { type Clock, systemClock } from '../../../../functions/recovery/clock.ts';
import { type BackupId, backupIdSchema, shardNameSchema } from '../../../../functions/recovery/ids.ts';
import { planSchema } from '../../../../functions/recovery/manifest/assemble.ts';
import { type Committed, commitBackup } from '../../../../functions/recovery/manifest/commit.ts';
import { shardDescriptionKey } from '../../../../functions/recovery/objects/object-keys.ts';
import { leave } from '../../../../functions/recovery/objects/work-objects.ts';
import { chooseParents } from '../../../../functions/recovery/parents.ts';
import { dumpDdl, dumpSequences } from '../../../../functions/recovery/schema/dump-schema.ts';
import { storeSchema } from '../../../../functions/recovery/schema/store-schema.ts';
import { assistOthers } from '../../../../functions/recovery/snapshot/assist.ts';
import { holdSnapshot } from '../../../../functions/recovery/snapshot/hold.ts';
import { awaitSnapshot } from '../../../../functions/recovery/snapshot/open.ts';
import {
  schemaOf,
  type TenantSelection,
  toShardTenant,
} from '../../../../functions/recovery/tenants/model.ts';
import { verifyWork } from '../../../../functions/recovery/verification/verify-work.ts';
import type { ChunkWork, ShardTarget } from '../../../../functions/recovery/workflow.ts';
import type { Aws, Database } from './world.ts';

export const shard = shardNameSchema.parse('shard-a');
export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export interface CompleteOptions {
  /** Runs when the snapshot is held and nothing has been read yet. */
  between?: () => Promise<void>;
  targetBytes?: number;
  /** Whether the DDL is dumped; default true. */
  ddl?: boolean;
  /** Default `full`. */
  type?: 'full' | 'incremental';
  /** What the shard is said to be. */
  target?: Partial<ShardTarget>;
  /** The one tenant that it is of. */
  tenant?: TenantSelection;
}

/** One backup of one database, driven step by step as the workflow drives it. */
export class BackupRun {
  readonly id: BackupId;
  readonly chunks: ChunkCatalog;
  readonly components: ComponentCatalog;
  readonly store: SnapshotStore;
  readonly #world: Aws;
  readonly #database: Database;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #lanes: Promise<void>[] = [];
  #tenant: TenantSelection | undefined;
  /** How many turns the lanes have taken. */
  turns = 0;

  constructor(world: Aws, database: Database, name: string, clock: Clock = systemClock) {
    this.id = backupIdSchema.parse(randomUUID());
    this.#world = world;
    this.#database = database;
    this.#name = name;
    this.#clock = clock;
    this.chunks = new ChunkCatalog(world.table, this.id);
    this.components = new ComponentCatalog(world.table, this.id);
    this.store = new SnapshotStore(world.table, this.id, shard);
  }

  /** What one turn of a lane works with. */
  turn(lane: string, termMs: number): Parameters<typeof holdSnapshot>[0] {
    const { catalog, bucket } = this.#world;
    return {
      ...this.parts,
      address: this.#database.address,
      describe: async (client) =>
        leave(bucket, shardDescriptionKey(this.id, shard), await describeShard(client, this.#tenant)),
      schema: schemaOf(this.#tenant && toShardTenant(this.#tenant)),
      isNeeded: async () => {
        const record = await catalog.get(this.id);
        return record?.state === 'running' && !record.cancelRequested;
      },
      onTrouble: () => undefined,
      assist: (client, origin) =>
        assistOthers({ ...this.parts, log: new Logger({ logLevel: 'SILENT' }) }, client, origin),
      holder: `${lane}-${randomUUID()}`,
      remainingMs: () => 600_000,
      termMs,
      times: { leaseMs: 10_000, renewMs: 100 },
      pollMs: 50,
    };
  }

  get parts() {
    return {
      chunks: this.chunks,
      store: this.store,
      requests: new AssistanceRequests(this.#world.table, this.id, shard),
      connect: () => this.#database.asBackup(this.#name),
      clock: this.#clock,
      place: this.#world.place,
      backupId: this.id,
      shard,
      attempt: randomUUID().slice(0, 8),
      remainingMs: () => 30_000,
      tenant: this.#tenant && toShardTenant(this.#tenant),
    };
  }

  async begin({ type = 'full', target: changed = {}, tenant }: CompleteOptions = {}): Promise<void> {
    this.#tenant = tenant;
    const { catalog } = this.#world;
    const now = new Date().toISOString();
    await catalog.create({
      id: this.id,
      type,
      trigger: 'api',
      traceparent,
      shards: [shard],
      tenant: tenant && { id: tenant.id, by: tenant.by },
      createdAt: now,
    });
    await catalog.start(this.id, { executionArn: `arn:test:${this.id}`, shards: [shard], startedAt: now });
    if (type === 'incremental') await chooseParents(catalog, this.id);
    const { host, port } = this.#database.address;
    const target = {
      name: shard,
      database: this.#name,
      clusterIdentifier: 'shard-a',
      epoch: 1,
      instance: { identifier: 'shard-a-1', host, port },
      ...changed,
    };
    await this.chunks.setShard(shard, { target });
  }

  /** Starts both lanes; each takes turns until the snapshot is released. */
  holdIn(termMs = 600_000): void {
    for (const lane of ['a', 'b']) this.#lanes.push(this.#lane(lane, termMs));
    for (const lane of this.#lanes) lane.catch(() => undefined);
  }

  async #lane(lane: string, termMs: number): Promise<void> {
    for (let outcome = 'again'; outcome === 'again'; ) {
      this.turns++;
      const result = await holdSnapshot(this.turn(lane, termMs));
      outcome = result.outcome;
    }
  }

  dumpDdl = () => dumpDdl(this.parts);

  /** Stands in for the DDL in tests that are not about it: pg_dump takes most of a small backup's time. */
  async storeNoDdl(): Promise<void> {
    await awaitSnapshot(this.parts, 30_000);
    for (const section of ['pre-data', 'post-data'] as const) await storeSchema(this.parts, section, '--\n');
  }

  async plan(targetBytes = 64 * 1024): Promise<ChunkWork[]> {
    const { bucket, catalog, manifests, verifyPlace } = this.#world;
    const log = new Logger({ logLevel: 'SILENT' });
    const { keyArn } = verifyPlace;
    const { key } = await planShard({ ...this.parts, catalog, manifests, keyArn, bucket, targetBytes, log });
    const stored = await bucket.readText({ key, versionId: null });
    return planSchema.parse(JSON.parse(stored?.text ?? ''));
  }

  async copy(work: ChunkWork): Promise<void> {
    const { objects } = await runChunk(this.parts, {
      backupId: this.id,
      shard,
      work,
      tenant: this.parts.tenant,
    });
    await this.verify(work.item, objects);
  }

  async verify(item: number, objects: Awaited<ReturnType<typeof runChunk>>['objects']): Promise<void> {
    const { operations, verifyPlace } = this.#world;
    await verifyWork(
      {
        place: verifyPlace,
        chunks: this.chunks,
        components: this.components,
        operations,
        clock: this.#clock,
      },
      { purpose: 'backup', backupId: this.id, traceparent, shard, work: { item, objects } },
    );
  }

  async release(): Promise<void> {
    await this.store.release();
    await Promise.all(this.#lanes);
  }

  /** Waits for the lanes, also for one that failed. */
  lanes = () => Promise.allSettled(this.#lanes);

  commit(): Promise<Committed> {
    const { catalog, manifests, verifyPlace } = this.#world;
    return commitBackup(
      {
        catalog,
        chunks: this.chunks,
        components: this.components,
        place: verifyPlace,
        manifests,
        clock: this.#clock,
      },
      this.id,
    );
  }

  async record(): Promise<BackupRecord | undefined> {
    return this.#world.catalog.get(this.id);
  }

  /** Everything in order. */
  async complete(options: CompleteOptions = {}): Promise<Committed> {
    const { between, targetBytes, ddl = true } = options;
    await this.begin(options);
    this.holdIn();
    await awaitSnapshot(this.parts, 30_000);
    await between?.();
    await (ddl ? this.dumpDdl() : this.storeNoDdl());
    for (const work of await this.plan(targetBytes)) await this.copy(work);
    await dumpSequences(this.parts);
    await this.release();
    return this.commit();
  }

  dumpSequences = () => dumpSequences(this.parts);
}
