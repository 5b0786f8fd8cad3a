import { describe, expect, it } from '@jest/globals';
import { Interruption } from '../../cli/interruption.ts';
import { waitFor } from '../support/wait-for.ts';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay, Said } from './support/run.ts';
import { backup, backupId, runningBackup } from './support/samples.ts';

const start = 'POST /api/disaster-recovery/backup';
const one = `GET /api/disaster-recovery/backups/${backupId}`;

/** Begins to look at a backup that does not end by itself. */
async function looking() {
  const platform = await FakePlatform.start();
  platform.on(start, { status: 202, body: backup() }).on(one, { body: runningBackup() });
  const said = new Said();
  const interruption = new Interruption(said);
  const run = mainstay(platform, ['backup'], { interruption });
  await waitFor(() => platform.calls.length > 1, { what: 'the backup to be looked at' });
  return { platform, said, interruption, run };
}

describe('Ctrl-C while a backup is shown', () => {
  it('says that it goes on and how to cancel it, and shows it until its end', async () => {
    const { platform, said, interruption, run } = await looking();
    await using _ = platform;
    interruption.request('SIGINT');
    expect(said.text).toBe(
      `\n  The backup ${backupId} goes on. To cancel it: npx mainstay backup --cancel ${backupId}\n` +
        `  To see it again: npx mainstay backup --follow ${backupId}\n  Ctrl-C again leaves it alone.\n`,
    );
    platform.on(one, { body: backup() });
    expect((await run).code).toBe(0);
  });

  it('leaves when it is pressed again, and cancels nothing', async () => {
    const { platform, interruption, run } = await looking();
    await using _ = platform;
    interruption.request('SIGINT');
    interruption.leave();
    expect(await run).toMatchObject({ code: 130, stdout: '' });
    expect(platform.calls.map(({ route }) => route)).not.toContain(
      `POST /api/disaster-recovery/backups/${backupId}/cancel`,
    );
  });

  it('leaves at once on any other signal, after the same words', async () => {
    const { platform, said, interruption, run } = await looking();
    await using _ = platform;
    interruption.request('SIGTERM');
    expect((await run).code).toBe(130);
    expect(said.text).toContain('goes on. To cancel it:');
  });
});

describe('Ctrl-C otherwise', () => {
  it('leaves at once, without a word', async () => {
    const said = new Said();
    const interruption = new Interruption(said);
    interruption.request('SIGINT');
    await using platform = await FakePlatform.start();
    expect(await mainstay(platform, ['status'], { interruption })).toMatchObject({ code: 130 });
    expect(said.text).toBe('');
  });
});
