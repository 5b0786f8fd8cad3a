import { describe, expect, it } from '@jest/globals';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay, type RunOptions } from './support/run.ts';
import { backup, backupId, backupSummary, restore, restoreId } from './support/samples.ts';

const start = 'POST /api/disaster-recovery/restore';
const one = `GET /api/disaster-recovery/restore/${restoreId}`;
const source = `GET /api/disaster-recovery/backups/${backupId}`;

async function restored(
  args: string[],
  { result = {}, ...options }: RunOptions & { result?: Record<string, unknown> } = {},
) {
  await using platform = await FakePlatform.start();
  platform.on(start, { status: 202, body: restore({ state: 'queued' }) });
  platform.on(one, { body: restore(result) }).on(source, { body: backup() });
  const outcome = await mainstay(platform, ['restore', ...args], options);
  return { ...outcome, sent: platform.calls.find(({ route }) => route === start)?.body };
}

describe('mainstay restore', () => {
  it('restores into a new database, and says how it compares', async () => {
    const { code, sent, stdout } = await restored([backupId]);
    expect({ code, sent }).toEqual({ code: 0, sent: { backupId } });
    expect(stdout).toMatch(/^ {2}shard-a +app_restored_x +1,000 +2\.0 MB +3 tables +0$/m);
    expect(stdout).toContain(`restore ${restoreId}: complete in 3.0 s, identical to the backup`);
  });

  it('sends what is chosen', async () => {
    const args = [
      '--shard',
      'shard-a',
      '--table',
      'app.users',
      '--table',
      'app."Odd one"',
      '--database',
      'other',
      backupId,
    ];
    const { sent } = await restored(args);
    const tables = ['app.users', 'app."Odd one"'];
    expect(sent).toEqual({ backupId, shards: ['shard-a'], tables, database: 'other' });
  });

  it('says what a dry run found, and ends with 1 where something is in the way', async () => {
    const plan = {
      ...restore().plan,
      conflicts: [{ shard: 'shard-a', problem: 'The database other exists.' }],
    };
    const { code, sent, stdout } = await restored([backupId, '--dry-run'], {
      result: { dryRun: true, plan },
    });
    expect({ code, sent }).toEqual({ code: 1, sent: { backupId, dryRun: true } });
    expect(stdout).toBe(
      '  4 objects, 2,000 rows, 4.0 MB to load (1.0 MB stored), about 100 ms\n  shard-a: The database other exists.\n',
    );
  });

  it('ends with 1 when what was restored differs, and says where', async () => {
    const [shard] = restore().shardDetails;
    const differences = [{ table: 'app.users', expectedRows: 10, rows: 9, sameDigest: false }];
    const leftOut = [{ object: 'EVENT TRIGGER audit', reason: 'must be superuser', statement: 'CREATE …' }];
    const { code, stdout, stderr } = await restored([backupId], {
      result: { identical: false, shardDetails: [{ ...shard, differences, leftOut }] },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('shard-a: app.users has 9 rows of 10, and not the same ones');
    expect(stdout).toContain('shard-a: left out EVENT TRIGGER audit: must be superuser\n    CREATE …');
    expect(stderr).toContain('What was restored is not identical to the backup.');
  });

  it('says how to resume one that failed', async () => {
    const { code, stderr } = await restored([backupId], {
      result: {
        state: 'failed',
        identical: null,
        resumableUntil: '2026-11-22T14:00:00.000Z',
        error: { code: 'X', message: 'The writer went away.' },
      },
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'The writer went away.\n' +
        `It can be resumed until 2026-11-22 14:00 UTC: npx mainstay restore --resume ${restoreId}\n`,
    );
  });

  it('takes the latest backup of the shards, never of one tenant, nor one that a restore has taken', async () => {
    await using platform = await FakePlatform.start();
    const backups = [
      backupSummary({ id: 'safety', trigger: 'restore' }),
      backupSummary({ id: 'one-tenant', tenant: { id: 'acme', by: 'key' } }),
      backupSummary({ id: 'other-shard', shards: ['shard-b'] }),
      backupSummary(),
    ];
    platform.on('GET /api/disaster-recovery/backups?limit=100&state=completed', {
      body: { backups, nextToken: null },
    });
    platform.on(start, { status: 202, body: restore() }).on(one, { body: restore() });
    const { stderr } = await mainstay(platform, ['restore', 'latest', '--shard', 'shard-a']);
    expect(platform.calls[1]?.body).toEqual({ backupId, shards: ['shard-a'] });
    expect(stderr).toContain(
      `the latest: backup ${backupId} of shard-a, shard-b, taken 2026-11-21 14:00 UTC`,
    );
  });

  it('needs to know what to restore', async () => {
    expect(await restored([])).toMatchObject({ code: 2, sent: undefined });
    expect(await restored([backupId, '--follow', restoreId])).toMatchObject({ code: 2, sent: undefined });
  });
});

describe('mainstay restore --mode replace', () => {
  const replace = [backupId, '--mode', 'replace'];

  it('goes ahead when the name of each shard is typed', async () => {
    const { code, sent, stderr } = await restored(replace, { typed: 'shard-a\nshard-b\n' });
    expect({ code, sent }).toEqual({ code: 0, sent: { backupId, mode: 'replace' } });
    expect(stderr).toContain('Type shard-a to have it replaced: ');
  });

  it.each([
    ['another name', 'shard-a\nyes\n'],
    ['nothing any more', 'shard-a\n'],
  ])('changes nothing when %s is typed', async (_what, typed) => {
    const { code, sent, stderr } = await restored(replace, { typed });
    expect({ code, sent }).toEqual({ code: 1, sent: undefined });
    expect(stderr).toContain('Nothing was changed.');
  });

  it('is refused where nobody can answer, unless --yes says so', async () => {
    const { code, sent, stderr } = await restored(replace);
    expect({ code, sent }).toEqual({ code: 2, sent: undefined });
    expect(stderr).toContain('--yes');
    expect(await restored([...replace, '--yes'])).toMatchObject({ code: 0, sent: { mode: 'replace' } });
  });

  it('asks for the shards that are named, and not at all before a dry run', async () => {
    const named = [...replace, '--shard', 'shard-b'];
    expect(await restored(named, { typed: 'shard-b\n' })).toMatchObject({ code: 0 });
    expect(await restored([...replace, '--dry-run'], { result: { dryRun: true } })).toMatchObject({
      code: 0,
    });
  });

  it('asks again before one is resumed', async () => {
    await using platform = await FakePlatform.start();
    const resume = `POST /api/disaster-recovery/restore/${restoreId}/resume`;
    platform.on(one, { body: restore({ mode: 'replace' }) }).on(resume, { status: 202, body: restore() });
    expect((await mainstay(platform, ['restore', '--resume', restoreId])).code).toBe(2);
    expect(platform.calls.map(({ route }) => route)).toEqual([one]);
    expect((await mainstay(platform, ['restore', '--resume', restoreId, '--yes'])).code).toBe(0);
  });
});
