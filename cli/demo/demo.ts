import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  type Backup,
  backupSchema,
  backupSummarySchema,
  type Operation,
  operationSchema,
} from '../../functions/recovery/model.ts';
import { ApiClient, ApiError } from '../api-client.ts';
import type { Connection } from '../connection.ts';
import { createProgressBar } from '../progress-bar.ts';
import { styleFor, type TextOutput } from '../terminal.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { backupsTable, shardsTable } from './demo-tables.ts';
import { flipBit } from './flip-bit.ts';

const root = '/api/disaster-recovery';
const acceptedSchema = z.looseObject({ id: z.string() });
const pageSchema = z.object({ backups: z.array(backupSummarySchema) });

/** How long another backup may take to end before the demo gives up, in milliseconds. */
const otherBackupPatienceMs = 600_000;
/** How long a deletion may take, in milliseconds. */
const deletionPatienceMs = 60_000;

/**
 * Walks through the main job as an operator would, over the API of a running platform: a backup,
 * its verification, one corrupted bit found and named, and the deletion. Leaves no backup behind.
 *
 * @param signal aborting it ends the demo early; what it made is removed then as well.
 * @throws when a step does not come out as it should.
 */
export async function runDemo(
  connection: Connection,
  output: TextOutput,
  signal: AbortSignal,
): Promise<void> {
  const demo = new Demo(new ApiClient(connection), output, signal);
  demo.say(`\nMainstay at ${connection.baseUrl}\n`);
  const id = await demo.startBackup();
  try {
    const backup = await demo.followBackup(id);
    demo.say(`\n${await demo.listing()}\n`);
    await demo.verify(id, 0);
    if (connection.aws !== undefined) {
      const flipped = await flipBit(connection.aws, backup);
      try {
        demo.say(`\n  one bit is flipped on the disk, in\n    ${shortKey(flipped.object, id)}`);
        await demo.verify(id, 1);
      } finally {
        await flipped.undo();
      }
    }
    demo.say(`\n${shardsTable(backup)}\n`);
  } finally {
    await demo.removeBackup(id);
  }
}

class Demo {
  readonly #api: ApiClient;
  readonly #output: TextOutput;
  readonly #signal: AbortSignal;

  constructor(api: ApiClient, output: TextOutput, signal: AbortSignal) {
    this.#api = api;
    this.#output = output;
    this.#signal = signal;
  }

  say(text: string): void {
    this.#output.write(`${text}\n`);
  }

  #done(text: string, milliseconds: number): void {
    const mark = styleFor(this.#output)('green', '✔');
    this.say(`  ${mark} ${text.padEnd(58)} ${formatDuration(milliseconds).padStart(10)}`);
  }

  /** One backup of a shard runs at a time: another one is waited for. */
  async startBackup(): Promise<string> {
    const deadline = Date.now() + otherBackupPatienceMs;
    for (;;) {
      try {
        return (await this.#api.call('POST', `${root}/backup`, acceptedSchema, {})).id;
      } catch (error) {
        const conflict = error instanceof ApiError && error.status === 409;
        if (!conflict || Date.now() > deadline) throw error;
      }
      const { backups } = await this.#api.call('GET', `${root}/backups?limit=20`, pageSchema);
      const other = backups.find(({ state }) => state === 'running' || state === 'queued');
      if (other === undefined) await sleep(500, undefined, { signal: this.#signal });
      else await this.#show(other.id, 'waits for another backup');
    }
  }

  async followBackup(id: string): Promise<Backup> {
    const backup = await this.#show(id, 'backup');
    if (backup.state !== 'completed') {
      throw new Error(`The backup ${id} ${backup.state}: ${backup.error?.message ?? 'no cause given'}`);
    }
    this.#done('backup complete, every object read back', backup.durationMs ?? 0);
    return backup;
  }

  async listing(): Promise<string> {
    const { backups } = await this.#api.call('GET', `${root}/backups?limit=5`, pageSchema);
    return backupsTable(backups);
  }

  async verify(backupId: string, expected: number): Promise<void> {
    const started = performance.now();
    const { id } = await this.#api.call('POST', `${root}/encryption/verify`, acceptedSchema, { backupId });
    const operation = await this.#followVerification(id);
    if (operation.state !== 'completed') {
      const cause = operation.error?.message ?? 'no cause given';
      throw new Error(`The verification ${id} ${operation.state}: ${cause}`);
    }
    const { findings, findingsTotal, progress } = operation;
    const found = findingsTotal === 0 ? 'all right' : `${findingsTotal} wrong`;
    this.#done(`verified: ${progress.objectsTotal ?? 0} objects, ${found}`, performance.now() - started);
    for (const { object, problem, relation } of findings) {
      this.say(`    ${shortKey(object, backupId)}`);
      this.say(`    ${problem}${relation ? `, rows of ${relation}` : ''}`);
    }
    if (findingsTotal !== expected) {
      throw new Error(`The verification found ${findingsTotal} wrong objects where there are ${expected}.`);
    }
  }

  /** Removes the backup, in whatever state it is, and waits until nothing is left of it. */
  async removeBackup(id: string): Promise<void> {
    const started = performance.now();
    const path = `${root}/backups/${id}`;
    const { state } = await this.#api.call('GET', path, backupSchema);
    if (state === 'queued' || state === 'running') {
      await this.#api.call('POST', `${path}/cancel`, acceptedSchema);
      await this.#api.follow(path, backupSchema, () => {});
    }
    await this.#api.call('DELETE', `${root}/backup/${id}`, acceptedSchema);
    while (await this.#exists(path)) {
      if (performance.now() - started > deletionPatienceMs) {
        throw new Error(`The backup ${id} is still being deleted.`);
      }
      await sleep(100);
    }
    this.#done('deleted; everything is as it was', performance.now() - started);
    this.say('');
  }

  async #show(id: string, title: string): Promise<Backup> {
    const bar = createProgressBar(this.#output, title);
    try {
      return await this.#api.follow(
        `${root}/backups/${id}`,
        backupSchema,
        ({ progress }) => {
          const { chunksDone, chunksTotal, bytesRead, bytesPerSecond, stage } = progress;
          const fraction = chunksTotal === null ? undefined : chunksDone / Math.max(1, chunksTotal);
          const amount = `${formatBytes(bytesRead)}, ${formatBytes(bytesPerSecond)}/s`;
          bar.update(fraction, bytesRead === 0 ? stage : `${stage}, ${amount}`);
        },
        { signal: this.#signal },
      );
    } finally {
      bar.end();
    }
  }

  async #followVerification(id: string): Promise<Operation> {
    const bar = createProgressBar(this.#output, 'verify');
    try {
      return await this.#api.follow(
        `${root}/encryption/operations/${id}`,
        operationSchema,
        ({ progress: { objectsDone, objectsTotal, bytesRead } }) => {
          const fraction = objectsTotal === null ? undefined : objectsDone / Math.max(1, objectsTotal);
          bar.update(fraction, bytesRead === 0 ? '' : formatBytes(bytesRead));
        },
        { signal: this.#signal },
      );
    } finally {
      bar.end();
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#api.call('GET', path, backupSchema);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    }
  }
}

/** An object's key without what all objects of the backup have in common. */
function shortKey(key: string, backupId: string): string {
  return key.replace(`backups/${backupId}/`, '');
}
