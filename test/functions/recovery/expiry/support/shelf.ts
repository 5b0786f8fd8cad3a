import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { RuleStore } from '../../../../../functions/recovery/automation/rule-store.ts';
import { backupPartition } from '../../../../../functions/recovery/catalog/backup-catalog.ts';
import type { BackupRecord } from '../../../../../functions/recovery/catalog/backup-record.ts';
import { ChunkCatalog } from '../../../../../functions/recovery/catalog/chunk-catalog.ts';
import { RestoreCatalog } from '../../../../../functions/recovery/catalog/restore-catalog.ts';
import { ShardLocks } from '../../../../../functions/recovery/catalog/shard-locks.ts';
import { isoTime } from '../../../../../functions/recovery/clock.ts';
import { deleteBackup } from '../../../../../functions/recovery/expiry/delete-backup.ts';
import { type ExpiryResult, expireBackups } from '../../../../../functions/recovery/expiry/expire-backups.ts';
import { versionName } from '../../../../../functions/recovery/expiry/named-objects.ts';
import { RetentionCatalog } from '../../../../../functions/recovery/expiry/retention-catalog.ts';
import { sha256Of } from '../../../../../functions/recovery/hash.ts';
import { type BackupId, backupIdSchema } from '../../../../../functions/recovery/ids.ts';
import type { Bucket, ObjectVersion } from '../../../../../functions/recovery/objects/bucket.ts';
import { backupPrefix, manifestKey } from '../../../../../functions/recovery/objects/object-keys.ts';
import { noRemoval } from '../../../../../functions/recovery/objects/remove-prefix.ts';
import { type SweepResult, sweepBackups } from '../../../../../functions/recovery/sweep-backups.ts';
import { shard, traceparent } from '../../support/run-backup.ts';
import { type Aws, startAwsWorld } from '../../support/world.ts';

interface StoredManifest extends ObjectVersion {
  readonly sha256: string;
  readonly manifest: {
    readonly backupId: BackupId;
    readonly committedAt: string;
    readonly objects: ObjectVersion[];
  };
}

const day = 86_400_000;

/** Backups without databases: real catalogue and store, manifests that are no more than lists of objects. */
export class Shelf {
  readonly world: Aws;
  readonly retention: RetentionCatalog;
  readonly rules: RuleStore;
  readonly restores: RestoreCatalog;
  readonly log = new Logger({ logLevel: 'SILENT' });
  /** What was announced. */
  readonly announced: { readonly event: 'expired' | 'deleted'; readonly id: BackupId }[] = [];
  /** Milliseconds since the epoch. */
  now = Date.parse('2026-11-20T12:00:00Z');
  bucket: Bucket;

  constructor(world: Aws) {
    this.world = world;
    this.bucket = world.bucket;
    this.retention = new RetentionCatalog(world.table);
    this.rules = new RuleStore(world.table);
    this.restores = new RestoreCatalog(world.table);
  }

  static async open(): Promise<Shelf> {
    return new Shelf(await startAwsWorld());
  }

  get clock() {
    return { now: () => this.now, sleep: async () => {} };
  }

  /** A backup at work that was started so many days ago. */
  async begin(daysAgo = 0, more: Partial<BackupRecord> = {}): Promise<BackupId> {
    const { catalog, table } = this.world;
    const id = backupIdSchema.parse(randomUUID());
    const createdAt = isoTime(this.now - daysAgo * day);
    await catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards: [shard], createdAt });
    await catalog.start(id, { executionArn: `arn:${id}`, shards: [shard], startedAt: createdAt });
    await table.set({ pk: backupPartition(id), sk: 'META' }, { ...more, state: 'running' });
    return id;
  }

  /** Has `id` refer to a backup and to what that refers to; `false` when one of them may not be referred to. */
  async refer(id: BackupId, to: BackupId): Promise<boolean> {
    const { catalog, table } = this.world;
    const wanted = [to, ...((await catalog.get(to))?.references ?? [])];
    const references = [...new Set([...((await catalog.get(id))?.references ?? []), ...wanted])];
    await table.set({ pk: backupPartition(id), sk: 'META' }, { references });
    for (const reference of wanted) if (!(await catalog.addDependent(reference, id))) return false;
    return true;
  }

  async store(id: BackupId, name: string): Promise<ObjectVersion> {
    const key = `${backupPrefix(id)}${shard}/rows/${name}`;
    return { key, versionId: await this.bucket.writeText(key, name) };
  }

  /** Writes the manifest and completes the backup; `false` when it is not running any more. */
  async commit(id: BackupId, objects: ObjectVersion[]): Promise<boolean> {
    const { catalog } = this.world;
    const record = await catalog.get(id);
    const committedAt = await catalog.beginCommit(id, record?.startedAt ?? '');
    if (committedAt === undefined) return false;
    const text = JSON.stringify({ backupId: id, committedAt, objects });
    const key = manifestKey(id);
    const { versionId = null } = (await this.bucket.create(key, text)) ?? {};
    const manifest = { key, versionId, sha256: sha256Of(text) };
    const values = { manifest, finishedAt: committedAt, state: 'completed' };
    return this.world.table.set({ pk: backupPartition(id), sk: 'META' }, values, {
      expression: '#state = :running',
      values: { ':running': 'running' },
    });
  }

  /** A completed backup of one object of its own and others that were given. */
  async complete(
    daysAgo: number,
    more: Partial<BackupRecord> = {},
    objects: ObjectVersion[] = [],
  ): Promise<BackupId> {
    const id = await this.begin(daysAgo, more);
    await this.commit(id, [await this.store(id, 'own'), ...objects]);
    return id;
  }

  read = async (id: BackupId, versionId: string | null): Promise<StoredManifest | undefined> => {
    const stored = await this.bucket.readText({ key: manifestKey(id), versionId });
    if (stored === undefined) return undefined;
    return { ...stored, sha256: sha256Of(stored.text), manifest: JSON.parse(stored.text) };
  };

  async manifest(id: BackupId): Promise<StoredManifest> {
    const stored = await this.read(id, null);
    if (stored === undefined) throw new Error('There is no manifest');
    return stored;
  }

  expire(remainingMs = 60_000): Promise<ExpiryResult> {
    const { catalog } = this.world;
    return expireBackups({
      ...{ catalog, rules: this.rules, restores: this.restores, clock: this.clock, log: this.log },
      remainingMs: () => remainingMs,
      onExpired: async ({ id }) => void this.announced.push({ event: 'expired', id }),
    });
  }

  sweep(only?: BackupId): Promise<SweepResult> {
    const { catalog, table } = this.world;
    return sweepBackups(
      {
        ...{ catalog, bucket: this.bucket, retention: this.retention, clock: this.clock, log: this.log },
        chunks: (id) => new ChunkCatalog(table, id),
        manifests: this,
        sweepReencrypted: async () => noRemoval,
        remainingMs: () => 60_000,
        onDeleted: async ({ id }) => void this.announced.push({ event: 'deleted', id }),
      },
      only,
    );
  }

  delete(id: BackupId, defaultLockDays = 0): Promise<boolean> {
    const { catalog, table } = this.world;
    const locks = new ShardLocks(table, catalog);
    return deleteBackup({ catalog, locks, clock: this.clock, defaultLockDays }, async () => {}, id);
  }

  state = async (id: BackupId) => (await this.world.catalog.get(id))?.state;

  /** All stored versions of all backups, by name. */
  async versions(): Promise<Set<string>> {
    const found = new Set<string>();
    let position: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await this.world.s3.send(
        new ListObjectVersionsCommand({ Bucket: this.bucket.name, Prefix: 'backups/', ...position }),
      );
      for (const { Key = '', VersionId = null } of page.Versions ?? []) {
        found.add(versionName({ key: Key, versionId: VersionId }));
      }
      if (page.IsTruncated !== true) return found;
      position = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }

  /** How many objects of a backup are there, its manifest among them. */
  async count(id: BackupId): Promise<number> {
    return [...(await this.versions())].filter((name) => name.includes(`\n${backupPrefix(id)}`)).length;
  }
}
