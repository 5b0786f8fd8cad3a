import { randomUUID } from 'node:crypto';
import { ulid } from 'ulid';
import { Adoptions } from '../../../../functions/recovery/adoption/adoptions.ts';
import { finishAdoption } from '../../../../functions/recovery/adoption/finish-adoption.ts';
import { planAdoption } from '../../../../functions/recovery/adoption/plan-adoption.ts';
import { adoptedId, startAdoption } from '../../../../functions/recovery/adoption/start-adoption.ts';
import { Failures } from '../../../../functions/recovery/catalog/failures.ts';
import { operationPartition } from '../../../../functions/recovery/catalog/operation-catalog.ts';
import { systemClock as clock } from '../../../../functions/recovery/clock.ts';
import { RetentionCatalog } from '../../../../functions/recovery/expiry/retention-catalog.ts';
import { type BackupId, type OperationId, operationIdSchema } from '../../../../functions/recovery/ids.ts';
import type { ManifestStore } from '../../../../functions/recovery/manifest/manifest-store.ts';
import type { VerifyPlace } from '../../../../functions/recovery/objects/verify-object.ts';
import { reencryptionWorkSchema } from '../../../../functions/recovery/reencryption/events.ts';
import { reencryptWork } from '../../../../functions/recovery/reencryption/reencrypt-work.ts';
import { ReencryptedObjects } from '../../../../functions/recovery/reencryption/reencrypted-objects.ts';
import { failOperation } from '../../../../functions/recovery/verification/conclude-verification.ts';
import { Executions } from '../import/support/import-run.ts';
import { traceparent } from './run-backup.ts';
import type { Aws } from './world.ts';

/** One adoption, driven state by state as the workflow drives it. */
export class AdoptionRun {
  readonly id: OperationId = operationIdSchema.parse(ulid());
  readonly source: BackupId;
  readonly #here: Aws;
  readonly #vault: { readonly place: VerifyPlace; readonly manifests: ManifestStore };

  /** @param here the deployment that adopts; @param vault the copies, and the replicas of the keys of the one that was lost. */
  constructor(
    here: Aws,
    vault: { readonly place: VerifyPlace; readonly manifests: ManifestStore },
    source: BackupId,
  ) {
    this.#here = here;
    this.#vault = vault;
    this.source = source;
  }

  /** What the backup is here. */
  get backupId(): BackupId {
    return adoptedId(this);
  }

  get #about() {
    return { backupId: this.backupId, operationId: this.id };
  }

  get #parts() {
    const { catalog, operations, table, bucket } = this.#here;
    return {
      ...{ catalog, operations, bucket, clock, adoptions: new Adoptions(table) },
      reencrypted: new ReencryptedObjects(table, this.id),
    };
  }

  async start(): Promise<void> {
    const { id, source: backupId } = this;
    const stepFunctions = new Executions().client;
    await startAdoption(
      { ...this.#parts, stepFunctions, reencryptionStateMachineArn: 'arn:reencryption' },
      { id, backupId, requestedBy: 'test', traceparent },
    );
  }

  plan() {
    return planAdoption(
      { ...this.#parts, manifests: this.#vault.manifests },
      { ...this.#about, from: this.source, executionArn: `arn:test:${this.id}` },
    );
  }

  async objects(): Promise<void> {
    const { bucket, place, verifyPlace } = this.#here;
    const { key } = await this.plan();
    const items = await bucket.readText({ key, versionId: null });
    for (const work of reencryptionWorkSchema.array().parse(JSON.parse(items?.text ?? ''))) {
      await reencryptWork(
        {
          ...this.#parts,
          from: this.#vault.place,
          to: place,
          ...{ verify: verifyPlace, lockMode: 'GOVERNANCE', attempt: randomUUID().slice(0, 8) },
        },
        this.#about,
        work,
      );
    }
  }

  finish(catalog = this.#here.catalog) {
    const { table, manifests, verifyPlace } = this.#here;
    return finishAdoption(
      {
        ...{ ...this.#parts, catalog, manifests, known: this.#vault.manifests },
        ...{ retention: new RetentionCatalog(table), keyArn: verifyPlace.keyArn, defaultLockDays: 0 },
      },
      this.#about,
    );
  }

  async complete() {
    await this.start();
    await this.objects();
    return this.finish();
  }

  /** Its execution ended before its time. */
  async fail(aborted = false) {
    const { catalog, operations, table } = this.#here;
    const operation = await operations.get(this.id);
    if (operation === undefined) throw new Error('It was not started');
    const failures = new Failures(table, operationPartition(this.id));
    const failure = { code: 'Killed', message: 'It was killed.' };
    return failOperation({ operations, catalog, clock, failures }, operation, {
      name: this.id,
      aborted,
      failure,
    });
  }
}
