import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ChunkCatalog } from '../../../../functions/recovery/catalog/chunk-catalog.ts';
import { ComponentCatalog } from '../../../../functions/recovery/catalog/component-catalog.ts';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { filesWorkSchema } from '../../../../functions/recovery/files/contract.ts';
import { copyFiles } from '../../../../functions/recovery/files/copy-files.ts';
import type { FilesItemRecord } from '../../../../functions/recovery/files/files-catalog.ts';
import { indexFiles } from '../../../../functions/recovery/files/index-files.ts';
import type { FileEntry } from '../../../../functions/recovery/files/model.ts';
import { type PlannedFiles, planFiles } from '../../../../functions/recovery/files/plan-files.ts';
import type { FilesSource } from '../../../../functions/recovery/files/read-file.ts';
import { readIndex } from '../../../../functions/recovery/files/read-index.ts';
import { type BackupId, backupIdSchema } from '../../../../functions/recovery/ids.ts';
import { type Committed, commitBackup } from '../../../../functions/recovery/manifest/commit.ts';
import type { Component } from '../../../../functions/recovery/model.ts';
import { verifyWork } from '../../../../functions/recovery/verification/verify-work.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import { traceparent } from '../support/run-backup.ts';
import type { Aws } from '../support/world.ts';

/** A bucket of its own, with versions. */
export function makeBucket(world: Aws): FilesSource {
  const bucket = `assets-${randomUUID().slice(0, 8)}`;
  world.makeBucket(bucket);
  return { s3: world.s3, bucket };
}

export async function put(
  { s3, bucket }: FilesSource,
  key: string,
  body: string | Buffer,
  more: Partial<ConstructorParameters<typeof PutObjectCommand>[0]> = {},
): Promise<string> {
  const { VersionId = '' } = await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: Buffer.from(body),
      ...more,
    }),
  );
  return VersionId;
}

/** One backup of files, driven step by step as the workflow drives it. */
export class FilesRun {
  readonly id: BackupId = backupIdSchema.parse(randomUUID());
  readonly components: ComponentCatalog;
  readonly #world: Aws;
  readonly #source: FilesSource;
  readonly #type: 'full' | 'incremental';

  constructor(world: Aws, source: FilesSource, type: 'full' | 'incremental' = 'full') {
    this.#world = world;
    this.#source = source;
    this.#type = type;
    this.components = new ComponentCatalog(world.table, this.id);
  }

  async begin(components: Component[] = ['files']): Promise<void> {
    const { catalog } = this.#world;
    const now = new Date().toISOString();
    await catalog.create({
      ...{
        id: this.id,
        type: this.#type,
        components,
        trigger: 'api',
        traceparent,
        shards: [],
        createdAt: now,
      },
    });
    await catalog.start(this.id, { executionArn: `arn:test:${this.id}`, shards: [], startedAt: now });
  }

  /** @param pages how many are listed in one turn. */
  async plan(pages = 1_000, pageSize?: number): Promise<PlannedFiles> {
    const { catalog, manifests, bucket, verifyPlace } = this.#world;
    const record = await catalog.get(this.id);
    if (record === undefined) throw new Error('There is no record');
    let asked = 0;
    const clock = { ...systemClock, now: () => Date.now() + (asked++ > pages ? 1e9 : 0) };
    return planFiles(
      {
        ...{ catalog, manifests, bucket, files: this.components.files, clock, type: this.#type },
        source: this.#source,
        place: verifyPlace,
        deadline: Date.now() + 1e8,
        ...(pageSize !== undefined && { pageSize }),
      },
      record,
    );
  }

  async items(): Promise<ReturnType<typeof filesWorkSchema.parse>[]> {
    const { key } = await this.plan();
    const stored = await this.#world.bucket.readText({ key, versionId: null });
    return filesWorkSchema.array().parse(JSON.parse(stored?.text ?? ''));
  }

  async copy(work: ReturnType<typeof filesWorkSchema.parse>): Promise<FilesItemRecord> {
    const { place, bucket } = this.#world;
    const attempt = randomUUID().slice(0, 8);
    const deps = {
      source: this.#source,
      place,
      bucket,
      files: this.components.files,
      clock: systemClock,
      attempt,
    };
    return copyFiles(deps, this.id, work);
  }

  async verify(part: 'files' | 'files-index', item: number, objects: StoredObject[]): Promise<void> {
    const { operations, verifyPlace, table } = this.#world;
    const chunks = new ChunkCatalog(table, this.id);
    await verifyWork(
      { place: verifyPlace, chunks, components: this.components, operations, clock: systemClock },
      { purpose: 'component', backupId: this.id, traceparent, part, work: { item, objects } },
    );
  }

  async copyAll(): Promise<FilesItemRecord[]> {
    const records: FilesItemRecord[] = [];
    for (const work of await this.items()) {
      const record = await this.copy(work);
      await this.verify('files', record.item, record.objects);
      records.push(record);
    }
    return records;
  }

  async index(): Promise<StoredObject> {
    const { catalog, manifests, bucket, place } = this.#world;
    const attempt = randomUUID().slice(0, 8);
    const index = await indexFiles(
      { catalog, manifests, bucket, place, files: this.components.files, attempt },
      this.id,
    );
    await this.verify('files-index', 0, [index]);
    return index;
  }

  commit(): Promise<Committed> {
    const { catalog, manifests, verifyPlace, table } = this.#world;
    const chunks = new ChunkCatalog(table, this.id);
    return commitBackup(
      { catalog, chunks, components: this.components, place: verifyPlace, manifests, clock: systemClock },
      this.id,
    );
  }

  async complete(): Promise<Committed> {
    await this.begin();
    await this.copyAll();
    await this.index();
    return this.commit();
  }
}

/** All lines of the index of a committed backup. */
export async function entriesOf(world: Aws, { manifest }: Committed): Promise<FileEntry[]> {
  const { files } = manifest.manifest;
  if (files === undefined) throw new Error('The backup has no files');
  const entries: FileEntry[] = [];
  for await (const entry of readIndex(world.verifyPlace, files.index)) entries.push(entry);
  return entries;
}
