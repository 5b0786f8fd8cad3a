import * as z from 'zod';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { type WorkObject, workObjectSchema } from '../catalog/snapshot-store.ts';
import { type Clock, isoTime } from '../clock.ts';
import { IncompleteBackupError, ObjectTooLargeError } from '../errors.ts';
import type { EscrowKeys } from '../keys/escrow-model.ts';
import { isWrappedAsNow } from '../keys/is-wrapped-as-now.ts';
import type { Bucket } from '../objects/bucket.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { leave, pickUp } from '../objects/work-objects.ts';
import type { BackupInput } from '../workflow.ts';
import { FilesDivider, objectsOfItem } from './divide-files.ts';
import type { FilesCatalog } from './files-catalog.ts';
import { filesItemKey, filesWorkKey } from './keys.ts';
import { leaveLines } from './lines.ts';
import { type ListPosition, listFiles } from './list-files.ts';
import {
  compareKeys,
  type FileEntry,
  type FilesItem,
  isSameFile,
  type ListedFile,
  maximumObjects,
} from './model.ts';
import { chooseFilesParent, type ParentDependencies, readFilesSection } from './parent-files.ts';
import type { FilesSource } from './read-file.ts';
import { readIndex } from './read-index.ts';

export interface PlanFilesDependencies extends ParentDependencies {
  readonly source: FilesSource;
  readonly bucket: Bucket;
  readonly place: VerifyPlace;
  readonly escrow?: EscrowKeys | undefined;
  readonly files: FilesCatalog;
  readonly clock: Clock;
  /** Milliseconds since the epoch: when this invocation lists no further page. */
  readonly deadline: number;
  /** Versions that are listed at once. Default: as many as S3 lists. */
  readonly pageSize?: number;
  /** As the backup was asked for. */
  readonly type: BackupInput['type'];
}

const tally = z.object({ files: z.number(), bytes: z.number() });

/** What one invocation leaves to the next, and the last one to those that copy. */
export const filesPlanSchema = z.object({
  position: z.object({ key: z.string(), versionId: z.string() }).optional(),
  items: z.array(z.object({ item: z.number().int(), work: workObjectSchema })),
  /** Files that are referred to and not copied: lines of the parent's index. */
  kept: z.array(workObjectSchema),
  objects: z.number().int(),
  listedTally: tally,
  keptTally: tally,
});
export type FilesPlan = z.output<typeof filesPlanSchema>;

export interface PlannedFiles {
  /** `again`: time ran out in between; it goes on where it was when it is called again. */
  readonly outcome: 'done' | 'again';
  /** Where the work items are. */
  readonly key: string;
  readonly items: number;
}

/**
 * Lists the current versions of the bucket's objects and divides those that have changed since the parent into work
 * items. Works by pages: memory grows with the number of items, not with that of files.
 *
 * @throws ObjectTooLargeError when there are more objects than a manifest lists. IncompleteBackupError, ManifestError,
 * DependencyError
 */
export async function planFiles(deps: PlanFilesDependencies, record: BackupRecord): Promise<PlannedFiles> {
  const { bucket, source, files, clock } = deps;
  const key = filesWorkKey(record.id, 'items.json');
  const known = await files.get();
  const plan = known?.plan === undefined ? emptyPlan() : await readFilesPlan(bucket, known.plan);
  if (known?.items !== undefined) return { outcome: 'done', key, items: known.items };
  if (known === undefined) {
    const parent = await chooseFilesParent(deps, record, deps.type, source.bucket);
    await files.set({ bucket: source.bucket, listedAt: isoTime(clock.now()), ...(parent && { parent }) });
  }
  const { parent } = (await files.get()) ?? {};
  const section = parent && (await readFilesSection(deps.manifests, deps.catalog, parent));
  // All of its files were stored under one passphrase, which an older or a newer one does not replace.
  const mayRefer = section !== undefined && (await isWrappedAsNow(deps.escrow, section.index));
  const unchanged = mayRefer ? new ParentIndex(readIndex(deps.place, section.index)) : undefined;
  try {
    const from = plan.position;
    const keptKey = filesWorkKey(record.id, `kept-${String(plan.kept.length).padStart(4, '0')}.ndjson`);
    plan.kept.push(await leaveLines(bucket, keptKey, listOn(deps, record, plan, unchanged)));
    if (plan.position !== undefined && plan.position === from) {
      throw new IncompleteBackupError('No page of the files could be listed within the time of a function.');
    }
  } finally {
    await unchanged?.close();
  }
  const progress = { listed: plan.listedTally, kept: plan.keptTally };
  if (plan.position !== undefined) {
    await files.set({ plan: await leave(bucket, filesWorkKey(record.id, 'plan.json'), plan), ...progress });
    return { outcome: 'again', key, items: plan.items.length };
  }
  // A Map over nothing is best avoided: an item without files does no harm.
  if (plan.items.length === 0) await addItem(deps, record, plan, []);
  await leave(bucket, key, plan.items);
  await files.set({
    plan: await leave(bucket, filesWorkKey(record.id, 'plan.json'), plan),
    items: plan.items.length,
    ...progress,
  });
  return { outcome: 'done', key, items: plan.items.length };
}

export const readFilesPlan = async (bucket: Bucket, object: WorkObject): Promise<FilesPlan> =>
  filesPlanSchema.parse(await pickUp(bucket, object));

const emptyPlan = (): FilesPlan => ({
  items: [],
  kept: [],
  objects: 0,
  listedTally: { files: 0, bytes: 0 },
  keptTally: { files: 0, bytes: 0 },
});

/** Lists until the end or the deadline; gives the files that are kept, and leaves those to copy as work items. */
async function* listOn(
  deps: PlanFilesDependencies,
  record: BackupRecord,
  plan: FilesPlan,
  unchanged: ParentIndex | undefined,
): AsyncGenerator<FileEntry> {
  const divider = new FilesDivider();
  let position: ListPosition | undefined = plan.position;
  do {
    const page = await listFiles(deps.source.s3, deps.source.bucket, position, deps.pageSize);
    position = page.next;
    for (const file of page.files) {
      count(plan.listedTally, file);
      const earlier = await unchanged?.find(file.key);
      if (earlier !== undefined && isSameFile(earlier, file)) {
        count(plan.keptTally, file);
        yield earlier;
      } else for (const item of divider.add(file)) await addItem(deps, record, plan, item);
    }
  } while (position !== undefined && deps.clock.now() < deps.deadline);
  for (const item of divider.finish()) await addItem(deps, record, plan, item);
  plan.position = position;
}

async function addItem(
  { bucket }: PlanFilesDependencies,
  record: BackupRecord,
  plan: FilesPlan,
  files: FilesItem,
): Promise<void> {
  const item = plan.items.length;
  plan.objects += objectsOfItem(files);
  if (plan.objects > maximumObjects) {
    throw new ObjectTooLargeError(
      `The files take more than ${maximumObjects} stored objects, which is what one backup may have.`,
    );
  }
  plan.items.push({ item, work: await leave(bucket, filesItemKey(record.id, item, 'todo'), files) });
}

function count(tally: { files: number; bytes: number }, file: ListedFile): void {
  tally.files++;
  tally.bytes += file.size;
}

/** The parent's files, walked through in step with the listing. */
class ParentIndex {
  readonly #entries: AsyncGenerator<FileEntry>;
  #next: FileEntry | undefined;
  #begun = false;

  constructor(entries: AsyncGenerator<FileEntry>) {
    this.#entries = entries;
  }

  /** @param key greater than that of the call before. */
  async find(key: string): Promise<FileEntry | undefined> {
    if (!this.#begun) {
      this.#begun = true;
      await this.#advance();
    }
    while (this.#next !== undefined && compareKeys(this.#next.key, key) < 0) await this.#advance();
    return this.#next?.key === key ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#entries.return(undefined);
  }

  async #advance(): Promise<void> {
    const { value, done } = await this.#entries.next();
    this.#next = done === true ? undefined : value;
  }
}
