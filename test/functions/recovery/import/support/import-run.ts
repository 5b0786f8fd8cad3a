import { randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ExecutionAlreadyExists, SFNClient } from '@aws-sdk/client-sfn';
import { ulid } from 'ulid';
import * as z from 'zod';
import { RuleStore } from '../../../../../functions/recovery/automation/rule-store.ts';
import type { BackupRecord } from '../../../../../functions/recovery/catalog/backup-record.ts';
import { type Clock, systemClock } from '../../../../../functions/recovery/clock.ts';
import { RetentionCatalog } from '../../../../../functions/recovery/expiry/retention-catalog.ts';
import { type BackupId, backupIdSchema } from '../../../../../functions/recovery/ids.ts';
import { commitImport } from '../../../../../functions/recovery/import/commit-import.ts';
import { digestUpload } from '../../../../../functions/recovery/import/digest-upload.ts';
import type { SegmentWork } from '../../../../../functions/recovery/import/events.ts';
import { segmentWorkSchema } from '../../../../../functions/recovery/import/events.ts';
import { ImportCatalog } from '../../../../../functions/recovery/import/import-catalog.ts';
import type { ImportRecord } from '../../../../../functions/recovery/import/model.ts';
import { planImport } from '../../../../../functions/recovery/import/plan-import.ts';
import {
  compressSegment,
  encryptSegment,
  hashSegment,
  storeSegment,
  verifySegment,
} from '../../../../../functions/recovery/import/segment-stages.ts';
import { uploadKey } from '../../../../../functions/recovery/objects/object-keys.ts';
import { traceparent } from '../../support/run-backup.ts';
import type { Aws } from '../../support/world.ts';

/** Segments of tests: S3 wants parts of 5 MiB at least, but for the last. */
export const segmentBytes = 5 * 1024 * 1024;

type Announced = ImportRecord['announced'];
type Keeping = Partial<Pick<BackupRecord, 'keepDays' | 'lockDays'>>;

/** One import, driven state by state as the workflow drives it. */
export class ImportRun {
  readonly id: BackupId = backupIdSchema.parse(ulid());
  readonly imports: ImportCatalog;
  readonly #world: Aws;
  readonly #clock: Clock;
  upload: { key: string; versionId: string | null; bytes: number } | undefined;

  constructor(world: Aws, clock: Clock = systemClock) {
    this.#world = world;
    this.#clock = clock;
    this.imports = new ImportCatalog(world.table, this.id);
  }

  async begin(announced: Announced = {}, name = 'shop.dump', keeping: Keeping = {}): Promise<void> {
    const now = this.#clock.now();
    await this.#world.catalog.create({
      id: this.id,
      type: 'import',
      trigger: 'api',
      components: [],
      traceparent,
      shards: [],
      createdAt: new Date(now).toISOString(),
      ...keeping,
      import: { name, announced, uploadUntil: new Date(now + 86_400_000).toISOString() },
    });
  }

  async put(dump: Buffer): Promise<void> {
    const { s3, bucket } = this.#world;
    const key = uploadKey(this.id);
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body: dump }));
    this.upload = { key, versionId: VersionId ?? null, bytes: dump.length };
  }

  async plan(): Promise<SegmentWork[]> {
    const { catalog, bucket } = this.#world;
    const { key, versionId } = this.#uploaded();
    const { key: items } = await planImport(
      { catalog, imports: this.imports, bucket, segmentBytes: () => segmentBytes },
      {
        backupId: this.id,
        executionArn: `arn:test:${this.id}`,
        startedAt: new Date(this.#clock.now()).toISOString(),
        input: { traceparent, upload: { key, versionId } },
      },
    );
    const stored = await bucket.readText({ key: items, versionId: null });
    return segmentWorkSchema.array().parse(JSON.parse(stored?.text ?? ''));
  }

  get parts() {
    const { bucket, place, verifyPlace } = this.#world;
    return {
      backupId: this.id,
      bucket,
      place,
      verifyPlace,
      imports: this.imports,
      clock: this.#clock,
      attempt: randomUUID().slice(0, 8),
    };
  }

  async store(work: SegmentWork) {
    const compressed = await compressSegment(this.parts, work);
    const encrypted = await encryptSegment(this.parts, compressed);
    return storeSegment(this.parts, await hashSegment(this.parts, encrypted));
  }

  async segment(work: SegmentWork): Promise<void> {
    await verifySegment(this.parts, await this.store(work));
  }

  /** @param remainingMs of each invocation; default: much. */
  async digest(remainingMs: () => number = () => 600_000): Promise<number> {
    const { catalog, bucket } = this.#world;
    let digest: Awaited<ReturnType<typeof digestUpload>> = { done: false, state: null };
    for (let invocations = 1; ; invocations++) {
      digest = await digestUpload(
        { catalog, imports: this.imports, bucket, remainingMs },
        { backupId: this.id, upload: this.#uploaded(), digest },
      );
      if (digest.done) return invocations;
    }
  }

  commit() {
    const { catalog, manifests, bucket, verifyPlace, table } = this.#world;
    const settle = {
      ...{ catalog, bucket, rules: new RuleStore(table), retention: new RetentionCatalog(table) },
      ...{ mode: 'GOVERNANCE' as const, defaultLockDays: 0 },
    };
    return commitImport(
      {
        catalog,
        manifests,
        bucket,
        imports: this.imports,
        clock: this.#clock,
        keyArn: verifyPlace.keyArn,
        settle,
        onNotLocked: () => {},
        remainingMs: () => 600_000,
      },
      this.id,
    );
  }

  async complete(dump: Buffer, announced: Announced = {}, keeping: Keeping = {}) {
    await this.begin(announced, undefined, keeping);
    await this.put(dump);
    for (const work of await this.plan()) await this.segment(work);
    await this.digest();
    return this.commit();
  }

  record(): Promise<BackupRecord | undefined> {
    return this.#world.catalog.get(this.id);
  }

  #uploaded() {
    if (this.upload === undefined) throw new Error('Nothing was uploaded');
    return this.upload;
  }
}

/** A client like the product's that signs. */
export const signingS3 = (world: Aws): S3Client =>
  new S3Client({ ...world.aws.client(), requestChecksumCalculation: 'WHEN_REQUIRED' });

const inputSchema = z.looseObject({ name: z.string() });

/** Step Functions that only counts the executions that were started, by name. */
export class Executions {
  readonly started: string[] = [];
  readonly client = new SFNClient({ region: 'eu-central-1' });

  constructor() {
    this.client.middlewareStack.add(
      () => async (args) => {
        const { name } = inputSchema.parse(args.input);
        if (this.started.includes(name))
          throw new ExecutionAlreadyExists({ message: 'is there', $metadata: {} });
        this.started.push(name);
        const output = { executionArn: `arn:test:${name}`, startDate: new Date(0), $metadata: {} };
        return { response: {}, output };
      },
      { step: 'initialize', name: 'fake' },
    );
  }
}
