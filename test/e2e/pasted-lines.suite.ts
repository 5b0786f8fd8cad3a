import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { backupIdSchema } from '../../functions/recovery/ids.ts';
import { backupSummarySchema } from '../../functions/recovery/model.ts';
import { waitFor } from '../support/wait-for.ts';
import { apiClient } from './support/api.ts';
import { paste } from './support/paste.ts';
import { killAll } from './support/processes.ts';
import { backupEnded, root } from './support/recovery.ts';
import { sharedOutput, sharedPlatform } from './support/shared-platform.ts';

const takenSchema = z.looseObject({ id: backupIdSchema });
const pageSchema = z.object({ backups: z.array(backupSummarySchema) });

describe('a local runtime', () => {
  let output: string;

  beforeAll(async () => {
    output = await sharedOutput();
  });

  it('prints lines to paste that work, while a reader that is killed comes back', async () => {
    const reader = async () => (await sharedPlatform()).shards[0]?.readers[0];
    const killed = await reader();
    killAll([killed?.pid ?? 0]);
    await waitFor(async () => (await reader())?.pid === null, { what: 'local.json to say that it is down' });

    const lines = output.split('\n').filter((line) => line.startsWith('  curl '));
    expect(lines).toHaveLength(3);
    const [take = '', list = '', ready = ''] = lines;
    const { id } = takenSchema.parse(await paste(take));
    expect(pageSchema.parse(await paste(list)).backups).toMatchObject([
      { id, state: expect.stringMatching(/queued|running/), shards: ['shard-a', 'shard-b'] },
    ]);
    const call = apiClient(await sharedPlatform());
    await call('POST', `${root}/backups/${id}/cancel`);
    await backupEnded(call, id);
    expect(await paste(ready)).toMatchObject({ status: 'ready' });

    const again = await waitFor(
      async () => {
        const now = await reader();
        return typeof now?.pid === 'number' && now;
      },
      { what: 'the reader to be back', timeoutMs: 30_000 },
    );
    expect(again).toEqual({ url: killed?.url, pid: expect.any(Number) });
    expect(again.pid).not.toBe(killed?.pid);
  });
});
