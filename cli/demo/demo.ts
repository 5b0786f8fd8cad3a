import type { Backup } from '../../functions/recovery/model.ts';
import type { Restore } from '../../functions/recovery/restore/model.ts';
import { ApiClient } from '../api-client.ts';
import type { Connection } from '../connect/connection.ts';
import { RecoveryApi } from '../recovery-api.ts';
import type { TextOutput } from '../terminal.ts';
import { backupsTable, shardsTable } from '../views/backup-tables.ts';
import { shortKey } from '../views/findings.ts';
import { followBackup, removeBackup, startBackup } from './backup-step.ts';
import { showBalance } from './balance-step.ts';
import { DemoOutput } from './demo-output.ts';
import { dropRestored } from './drop-databases.ts';
import { showEdge } from './edge-step.ts';
import { flipBit } from './flip-bit.ts';
import { endRestore, followRestore } from './restore-step.ts';
import { summaryTable } from './summary.ts';
import { verify } from './verify-step.ts';

/**
 * Walks through the main job as an operator would, over the API of a running platform: how even its shards are, what its edge does, a backup, its
 * verification, a restore compared with it, one corrupted bit found and named, and the deletion. Leaves
 * things as they were.
 *
 * @param shards default: all of the platform's.
 * @param signal aborting it ends the demo early; what it made is removed then as well.
 * @throws when a step does not come out as it should.
 */
export async function runDemo(
  connection: Connection,
  output: TextOutput,
  signal: AbortSignal,
  shards?: readonly string[],
): Promise<void> {
  const out = new DemoOutput(output);
  const demo = new Demo(connection, out, signal);
  out.say(`\nMainstay at ${connection.baseUrl}\n`);
  out.say(`\n${await demo.run(shards)}\n`);
}

class Demo {
  readonly #client: ApiClient;
  readonly #signal: AbortSignal;
  readonly #api: RecoveryApi;
  /** Not ended by the signal: it tidies up after it. */
  readonly #cleanup: RecoveryApi;
  readonly #local: Connection['local'];
  readonly #out: DemoOutput;

  constructor({ local, ...connection }: Connection, out: DemoOutput, signal: AbortSignal) {
    this.#client = new ApiClient({ ...connection, signal });
    this.#signal = signal;
    this.#api = new RecoveryApi(this.#client);
    this.#cleanup = new RecoveryApi(new ApiClient(connection));
    this.#local = local;
    this.#out = out;
  }

  async run(shards?: readonly string[]): Promise<string> {
    await showBalance(this.#client, this.#out, this.#signal);
    const edgeUrl = this.#local?.edgeUrl;
    // Elsewhere than here, a purge is felt by visitors.
    if (edgeUrl !== undefined) await showEdge(this.#client, this.#out, this.#signal, edgeUrl);
    const id = await startBackup(this.#api, this.#out, shards);
    try {
      const backup = await followBackup(this.#api, this.#out, id);
      this.#out.say(`\n${shardsTable(backup)}\n`);
      this.#out.say(`${backupsTable(await this.#api.backups(5))}\n`);
      const verification = await verify(this.#api, this.#out, id, 0);
      const restore = await this.#restore(id);
      await this.#damage(backup);
      return summaryTable(backup, verification, restore);
    } finally {
      await removeBackup(this.#cleanup, this.#out, id);
    }
  }
  /** On a deployed platform only a dry run: nothing there would remove the restored databases again. */
  async #restore(backupId: string): Promise<Restore> {
    const { id } = await this.#api.startRestore({ backupId, dryRun: this.#local === undefined });
    try {
      return await followRestore(this.#api, this.#out, id);
    } finally {
      const ended = await endRestore(this.#cleanup, id);
      if (this.#local !== undefined) await dropRestored(this.#local, ended);
    }
  }

  /** Only where the disk behind the store is at hand. */
  async #damage(backup: Backup): Promise<void> {
    if (this.#local === undefined) return;
    const flipped = await flipBit(this.#local.aws, backup);
    try {
      this.#out.say(`  one bit is flipped on the disk, in\n    ${shortKey(flipped.object, backup.id)}`);
      await verify(this.#api, this.#out, backup.id, 1);
    } finally {
      await flipped.undo();
    }
  }
}
