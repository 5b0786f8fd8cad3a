import fc from 'fast-check';
import { isoTime } from '../../../../../functions/recovery/clock.ts';
import { versionName } from '../../../../../functions/recovery/expiry/named-objects.ts';
import type { BackupId } from '../../../../../functions/recovery/ids.ts';
import type { ObjectVersion } from '../../../../../functions/recovery/objects/bucket.ts';
import type { Shelf } from './shelf.ts';

/** A backup as the model knows it. */
interface Modelled {
  readonly id: BackupId;
  /** What its manifest will name. */
  readonly objects: ObjectVersion[];
  readonly parents: BackupId[];
}

/** What the steps of one run share; the real state is the shelf's. */
class Run {
  readonly shelf: Shelf;
  readonly backups: Modelled[] = [];
  stored = 0;

  constructor(shelf: Shelf) {
    this.shelf = shelf;
  }

  /** One of the latest. */
  pick(choice: number): Modelled | undefined {
    return this.backups.at(-1 - (choice % Math.min(5, Math.max(1, this.backups.length))));
  }

  async completed(choice: number): Promise<Modelled | undefined> {
    const found: Modelled[] = [];
    for (const backup of this.backups)
      if ((await this.shelf.state(backup.id)) === 'completed') found.push(backup);
    return found[choice % Math.max(1, found.length)];
  }
}

const steps = {
  beginFull: async (run: Run) => {
    run.backups.push({ id: await run.shelf.begin(0), objects: [], parents: [] });
  },
  /** The references are taken in a step of their own, so that others come in between. */
  beginIncremental: async (run: Run, choice: number) => {
    const parent = await run.completed(choice);
    if (parent === undefined) return;
    const id = await run.shelf.begin(0);
    const taken = await run.shelf.refer(id, parent.id);
    run.backups.push({ id, objects: [], parents: taken ? [parent.id] : [] });
  },
  store: async (run: Run, choice: number) => {
    const backup = run.pick(choice);
    if (backup === undefined || (await run.shelf.state(backup.id)) !== 'running') return;
    backup.objects.push(await run.shelf.store(backup.id, `object-${run.stored++}`));
  },
  /** Names part of what its parent names beside its own. */
  commit: async (run: Run, choice: number) => {
    const backup = run.pick(choice);
    if (backup === undefined || (await run.shelf.state(backup.id)) !== 'running') return;
    for (const parent of backup.parents) {
      const { manifest } = await run.shelf.manifest(parent);
      backup.objects.push(...manifest.objects.filter((_, index) => (index + choice) % 2 === 0));
    }
    await run.shelf.commit(backup.id, backup.objects);
  },
  fail: async (run: Run, choice: number) => {
    const backup = run.pick(choice);
    const { catalog } = run.shelf.world;
    if (backup === undefined || (await run.shelf.state(backup.id)) !== 'running') return;
    await catalog.sweepNeeded(backup.id, 0);
    await catalog.end(backup.id, 'failed', { finishedAt: isoTime(run.shelf.now) });
  },
  /** By hand: earlier than the rule would, and without the note of the sweep. */
  mark: async (run: Run, choice: number) => {
    const backup = run.pick(choice);
    if (backup !== undefined) await run.shelf.world.catalog.expire(backup.id);
  },
  expire: async ({ shelf }: Run, choice: number) => {
    shelf.now += (choice % 40) * 86_400_000;
    await shelf.expire();
  },
  delete: async (run: Run, choice: number) => {
    const backup = run.pick(choice);
    if (backup === undefined) return;
    await run.shelf.delete(backup.id).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'BackupReferredToError')) throw error;
    });
  },
  sweep: async ({ shelf }: Run) => {
    await shelf.sweep();
  },
  sweepTwice: async ({ shelf }: Run) => {
    await Promise.all([shelf.sweep(), shelf.sweep()]);
  },
};
type StepName = keyof typeof steps;

const weighted: readonly StepName[] = [
  ...(['beginFull', 'beginIncremental', 'beginIncremental', 'beginIncremental'] as const),
  ...(['store', 'store', 'store', 'commit', 'commit', 'commit', 'commit'] as const),
  ...(['fail', 'mark', 'expire', 'delete', 'sweep', 'sweep', 'sweepTwice'] as const),
];

/** Steps in any order, backups among them more often than others. */
export const anySteps = (maxLength: number) =>
  fc.array(
    fc.record({
      name: fc.constantFrom(...weighted),
      choice: fc.nat(1_000),
    }),
    { minLength: maxLength / 2, maxLength, size: 'max' },
  );

/**
 * Takes the steps one after the other, after a first backup that is completed: whatever comes, something was there to lose.
 * @returns how many completed backups there were at most.
 * @throws Error naming the step after which an object was missing that a completed backup names.
 */
export async function takeSteps(
  shelf: Shelf,
  list: readonly { name: StepName; choice: number }[],
): Promise<{ completed: number }> {
  const run = new Run(shelf);
  for (const name of ['beginFull', 'store', 'commit'] as const) await steps[name](run, 0);
  let completed = await requireAll(run, 'the first backup');
  for (const [index, { name, choice }] of list.entries()) {
    await steps[name](run, choice);
    if (name !== 'commit' && !name.startsWith('sweep')) continue;
    completed = Math.max(completed, await requireAll(run, `${name}, step ${index}`));
  }
  return { completed };
}

async function requireAll({ shelf, backups }: Run, after: string): Promise<number> {
  const there = await shelf.versions();
  let completed = 0;
  for (const { id } of backups) {
    if ((await shelf.state(id)) !== 'completed') continue;
    completed++;
    const manifest = await shelf.manifest(id);
    for (const object of manifest.manifest.objects) {
      if (!there.has(versionName(object)))
        throw new Error(`After ${after}: ${object.key} is missing, which ${id} names`);
    }
  }
  return completed;
}

/** Ends everything that is left: work fails, what is complete expires, and sweeps go on until all is gone. */
export async function runOut(shelf: Shelf): Promise<void> {
  const { catalog, table } = shelf.world;
  for (const { id } of (await catalog.list(200)).backups) {
    await catalog.sweepNeeded(id, 0);
    await catalog.end(id, 'failed', { finishedAt: isoTime(shelf.now) });
    await catalog.expire(id);
  }
  let left = 1;
  for (let round = 0; left > 0 && round < 100; round++) {
    await shelf.expire();
    await shelf.sweep();
    const { backups } = await catalog.list(200);
    left = backups.filter(({ state }) => state !== 'failed').length;
    for (const { id } of left === 0 ? backups : []) await table.delete({ pk: `BACKUP#${id}`, sk: 'META' });
  }
}
