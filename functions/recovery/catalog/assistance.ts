import * as z from 'zod';
import type { BackupId, ShardName } from '../ids.ts';
import { chunkWorkSchema } from '../workflow.ts';
import { backupPartition } from './backup-catalog.ts';
import type { RecoveryTable } from './recovery-table.ts';

/** What the holder of a snapshot can do that nobody else can while a session waits for an exclusive lock. */
export const assistanceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('chunk'), work: chunkWorkSchema }),
  z.object({ kind: z.literal('ddl'), section: z.enum(['pre-data', 'post-data']) }),
]);
export type Assistance = z.output<typeof assistanceSchema>;

const keepSeconds = 24 * 60 * 60;

/** Requests to whoever holds a shard's snapshot. */
export class AssistanceRequests {
  readonly #table: RecoveryTable;
  readonly #pk: string;
  readonly #prefix: string;

  constructor(table: RecoveryTable, backupId: BackupId, shard: ShardName) {
    this.#table = table;
    this.#pk = backupPartition(backupId);
    this.#prefix = `ASSIST#${shard}#`;
  }

  async ask(assistance: Assistance): Promise<void> {
    const expiresAt = Math.floor(Date.now() / 1000) + keepSeconds;
    await this.#table.put({ pk: this.#pk, sk: this.#sort(assistance), assistance, expiresAt });
  }

  async *waiting(): AsyncGenerator<Assistance> {
    for await (const item of this.#table.query({ pk: this.#pk, prefix: this.#prefix })) {
      yield assistanceSchema.parse(item.assistance);
    }
  }

  /** It was done, or is not wanted any more. */
  async done(assistance: Assistance): Promise<void> {
    await this.#table.delete({ pk: this.#pk, sk: this.#sort(assistance) });
  }

  #sort(assistance: Assistance): string {
    const what = assistance.kind === 'chunk' ? String(assistance.work.item) : assistance.section;
    return `${this.#prefix}${assistance.kind}#${what}`;
  }
}
