import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import * as z from 'zod';
import { awsConfig, tableNamed } from '../e2e/support/aws.ts';
import { Backups, expectCompleted } from '../e2e/support/backups.ts';
import { withVariables } from '../e2e/support/functions.ts';
import { StoredBackup } from '../e2e/support/stored-backup.ts';
import { expectOneInstant, Workload } from '../e2e/support/workload.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

const shard = 'shard-a';
const snapshotSchema = z.object({
  generation: z.number(),
  holder: z.string(),
  snapshotId: z.string(),
  origin: z.object({ snapshot: z.string(), instant: z.string() }),
});
type Snapshot = z.output<typeof snapshotSchema>;

describe('a backup that outlives the one who holds its snapshot', () => {
  let backups: Backups;

  beforeAll(async () => {
    backups = await Backups.open();
  });
  afterAll(() => backups.tidy());

  it('is of one instant, over several generations of holders', async () => {
    const workload = await Workload.start(backups.local, shard);
    try {
      // Small chunks, one after the other held up until the snapshot has been handed over twice.
      await withVariables(backups.local, 'RecoveryHoldSnapshot', { HOLD_TERM_SECONDS: '2' }, () =>
        withVariables(backups.local, 'RecoveryPlanChunks', { CHUNK_TARGET_MIB: '1' }, async () => {
          const slow = {
            service: 's3',
            operation: 'PutObject',
            caller: 'RecoveryChunkPipeline',
            delayMs: 400,
          };
          await backups.breakage.inject({ ...slow, times: 1_000 });
          const id = await backups.start({ shards: [shard] });
          const generations = await generationsOf(id, 3);
          await backups.breakage.mend();
          expectCompleted(await backups.ended(id));

          expect(new Set(generations.map(({ holder }) => holder)).size).toBe(3);
          expect(new Set(generations.map(({ snapshotId }) => snapshotId)).size).toBe(3);
          const origins = new Set(generations.map(({ origin }) => JSON.stringify(origin)));
          expect(origins.size).toBe(1);
          const backup = await StoredBackup.open(backups.local, id);
          expect(backup.shard(shard).origin).toMatchObject(generations[0]?.origin ?? {});
          const stored = await expectOneInstant(backup, shard);
          for (const [writer, number] of stored.entries())
            expect(number).toBeLessThan(workload.done[writer] ?? 0);
        }),
      );
    } finally {
      await backups.breakage.mend();
      await workload.end();
    }
    await backups.released(shard);
  });

  /** Waits until `count` generations of the shard's snapshot have been held, and gives the record of each. */
  async function generationsOf(backupId: string, count: number): Promise<Snapshot[]> {
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(backups.local)));
    const TableName = await tableNamed(backups.local, 'Recovery');
    const Key = { pk: `BACKUP#${backupId}`, sk: `SNAPSHOT#${shard}` };
    const seen = new Map<number, Snapshot>();
    return waitFor(
      async () => {
        const { Item } = await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
        const { data } = snapshotSchema.safeParse(Item);
        if (data !== undefined) seen.set(data.generation, data);
        return seen.size >= count && [...seen.values()];
      },
      { what: `${count} generations of the snapshot`, intervalMs: 100 },
    );
  }
});
