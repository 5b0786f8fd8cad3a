import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { ulid } from 'ulid';
import { BackupCatalog } from '../../../../functions/recovery/catalog/backup-catalog.ts';
import { OperationCatalog } from '../../../../functions/recovery/catalog/operation-catalog.ts';
import { RecoveryTable } from '../../../../functions/recovery/catalog/recovery-table.ts';
import { RestoreCatalog } from '../../../../functions/recovery/catalog/restore-catalog.ts';
import { isoTime } from '../../../../functions/recovery/clock.ts';
import { RetentionCatalog } from '../../../../functions/recovery/expiry/retention-catalog.ts';
import { type BackupId, type OperationId, operationIdSchema } from '../../../../functions/recovery/ids.ts';
import type { EscrowKeys } from '../../../../functions/recovery/keys/escrow-model.ts';
import { withEscrow } from '../../../../functions/recovery/keys/escrow-of.ts';
import { ManifestStore } from '../../../../functions/recovery/manifest/manifest-store.ts';
import { Bucket } from '../../../../functions/recovery/objects/bucket.ts';
import type { VerifyPlace } from '../../../../functions/recovery/objects/verify-object.ts';
import { reencryptionWorkSchema } from '../../../../functions/recovery/reencryption/events.ts';
import { finishReencryption } from '../../../../functions/recovery/reencryption/finish-reencryption.ts';
import { planReencryption } from '../../../../functions/recovery/reencryption/plan-reencryption.ts';
import { reencryptWork } from '../../../../functions/recovery/reencryption/reencrypt-work.ts';
import { ReencryptedObjects } from '../../../../functions/recovery/reencryption/reencrypted-objects.ts';
import { startReencryption } from '../../../../functions/recovery/reencryption/start-reencryption.ts';
import { sweepReencrypted } from '../../../../functions/recovery/reencryption/sweep-reencrypted.ts';
import { kmsKeyring, type Opener } from '../../../../functions/recovery/stages/encrypt.ts';
import { itemsTable } from '../../../local/dynamodb/items-table.ts';
import { Executions } from '../import/support/import-run.ts';
import { traceparent } from './run-backup.ts';
import type { Aws } from './world.ts';

/** Where a function ends from outside: after so many of its writes, whose answers it does not hear. */
export class Killed extends Error {}

export interface ReencryptionOptions {
  /** The key that the backup is stored under from now on. Default: as before. */
  readonly keyArn?: string;
  readonly escrow?: EscrowKeys;
  /** The key that manifests are authenticated by from now on. Default: as before. */
  readonly macArn?: string;
  /** What the backup is opened with. Default: KMS. */
  readonly opener?: Opener;
  /** The copies in the standby region, and the replicas there. Default: the deployment's own. */
  readonly from?: { readonly place: VerifyPlace; readonly manifests: ManifestStore };
  readonly bucket?: Bucket;
  readonly defaultLockDays?: number;
}

/** One re-encryption, driven state by state as the workflow drives it. */
export class ReencryptionRun {
  readonly id: OperationId = operationIdSchema.parse(ulid());
  readonly backupId: BackupId;
  readonly #world: Aws;
  readonly #options: ReencryptionOptions;
  readonly #bucket: Bucket;
  readonly #catalogs: ReturnType<typeof catalogsOf>;
  /** Milliseconds since the epoch. */
  now = Date.now();
  /** Writes until it is killed. */
  budget = Number.POSITIVE_INFINITY;

  constructor(world: Aws, backupId: BackupId, options: ReencryptionOptions = {}) {
    this.#world = world;
    this.backupId = backupId;
    this.#options = options;
    const check = () => {
      if (this.budget < 0) throw new Killed();
    };
    const spend = () => {
      this.budget--;
      check();
    };
    this.#catalogs = catalogsOf(new MortalTable(world.table, { check, spend }));
    const s3 = new S3Client({ ...world.aws.client(), maxAttempts: 1 });
    s3.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const writes = /^(Put|Delete|CompleteMultipart)/.test(commandName);
          if (writes) check();
          const answer = await next(args);
          if (writes) spend();
          return answer;
        },
      { step: 'initialize', name: 'mortal' },
    );
    clients.push(s3);
    this.#bucket = new Bucket(s3, (options.bucket ?? world.bucket).name);
  }

  get clock() {
    return { now: () => this.now, sleep: async () => {} };
  }

  /** Of the manifests as of now, and those from before. */
  get manifests(): ManifestStore {
    const { escrow } = this.#options;
    return new ManifestStore(
      this.#bucket,
      this.#world.kms,
      this.#options.macArn ?? this.#world.keys.mac,
      escrow && { keys: escrow, reads: 'kms' },
    );
  }

  /** Of the manifests that are there before. */
  get known(): ManifestStore {
    return this.#options.from?.manifests ?? this.manifests;
  }

  get verifyPlace() {
    const { kms, verifyPlace } = this.#world;
    return { bucket: this.#bucket, kms, keyArn: this.#options.keyArn ?? verifyPlace.keyArn };
  }

  async start(stepFunctions: SFNClient = new Executions().client): Promise<void> {
    await startReencryption(
      {
        ...this.#catalogs,
        ...{ stepFunctions, clock: this.clock, reencryptionStateMachineArn: 'arn:reencryption' },
      },
      {
        id: this.id,
        backupId: this.backupId,
        keys: this.#options.from ? 'replica' : 'kms',
        requestedBy: 'test',
        traceparent,
      },
    );
  }

  async objects(): Promise<void> {
    const { catalog, operations } = this.#catalogs;
    const { bucket, key } = await planReencryption(
      { catalog, operations, manifests: this.known, bucket: this.#bucket },
      { backupId: this.backupId, operationId: this.id, executionArn: `arn:test:${this.id}` },
    );
    const items = await new Bucket(this.#world.s3, bucket).readText({ key, versionId: null });
    for (const work of reencryptionWorkSchema.array().parse(JSON.parse(items?.text ?? ''))) {
      await this.work(work);
    }
  }

  work(work: Parameters<typeof reencryptWork>[2]) {
    const { kms, verifyPlace } = this.#world;
    const { escrow, opener, from, keyArn = verifyPlace.keyArn } = this.#options;
    return reencryptWork(
      {
        ...this.#catalogs,
        reencrypted: new ReencryptedObjects(this.#catalogs.table, this.id),
        from: from?.place ?? { ...verifyPlace, bucket: this.#bucket, ...(opener && { opener }) },
        to: {
          ...{ s3: this.#bucket.s3, bucket: this.#bucket.name, escrow },
          keyring: withEscrow(kmsKeyring(kms, keyArn), escrow),
        },
        ...{ verify: this.verifyPlace, lockMode: 'GOVERNANCE', clock: this.clock },
        attempt: randomUUID().slice(0, 8),
      },
      { backupId: this.backupId, operationId: this.id },
      work,
    );
  }

  finish() {
    const { keyArn = this.#world.verifyPlace.keyArn, defaultLockDays = 0 } = this.#options;
    return finishReencryption(
      {
        ...this.#catalogs,
        ...{ bucket: this.#bucket, clock: this.clock, remainingMs: () => 600_000, keyArn, defaultLockDays },
        reencrypted: new ReencryptedObjects(this.#catalogs.table, this.id),
        ...{ known: this.known, manifests: this.manifests, lockMode: 'GOVERNANCE' },
      },
      { backupId: this.backupId, operationId: this.id },
    );
  }

  async complete() {
    await this.start();
    await this.objects();
    return this.finish();
  }

  /** The execution ended without coming to its end. */
  async fail(): Promise<void> {
    const error = { code: 'Killed', message: 'It was killed.' };
    await this.#world.operations.end(this.id, 'failed', { finishedAt: isoTime(this.now), error });
  }

  /** What the hourly run does. */
  async sweep() {
    const { catalog } = this.#world;
    const record = await catalog.get(this.backupId);
    if (record === undefined) throw new Error('There is no such backup');
    return sweepReencrypted(
      {
        ...this.#catalogs,
        ...{ manifests: this.manifests, bucket: this.#bucket, clock: this.clock, log: { warn: () => {} } },
      },
      record,
      await catalog.sweepOf(this.backupId),
      () => true,
    );
  }
}

const catalogsOf = (table: RecoveryTable) => ({
  table,
  catalog: new BackupCatalog(table),
  operations: new OperationCatalog(table),
  restores: new RestoreCatalog(table),
  retention: new RetentionCatalog(table),
});

const clients: S3Client[] = [];
/** Lets go of what the runs of a file have opened. */
export const closeRuns = (): void => {
  for (const client of clients.splice(0)) client.destroy();
};

/** Both throw `Killed` once there is no life left. */
interface Life {
  check(): void;
  spend(): void;
}

/** A table whose user may not live to hear of a write. */
class MortalTable extends RecoveryTable {
  readonly #table: RecoveryTable;
  readonly #life: Life;

  constructor(table: RecoveryTable, life: Life) {
    super(Object.create(null), itemsTable);
    this.#table = table;
    this.#life = life;
  }

  override get: RecoveryTable['get'] = (key) => this.#table.get(key);
  override query: RecoveryTable['query'] = (query) => this.#table.query(query);
  override newest: RecoveryTable['newest'] = (...asked) => this.#table.newest(...asked);
  override put: RecoveryTable['put'] = (...write) => this.#alive(() => this.#table.put(...write));
  override set: RecoveryTable['set'] = (...write) => this.#alive(() => this.#table.set(...write));
  override delete: RecoveryTable['delete'] = (...write) => this.#alive(() => this.#table.delete(...write));

  async #alive(write: () => Promise<boolean>): Promise<boolean> {
    this.#life.check();
    const answer = await write();
    this.#life.spend();
    return answer;
  }
}
