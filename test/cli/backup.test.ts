import { describe, expect, it } from '@jest/globals';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';
import { backup, backupId, runningBackup } from './support/samples.ts';

const start = 'POST /api/disaster-recovery/backup';
const one = `GET /api/disaster-recovery/backups/${backupId}`;

describe('mainstay backup', () => {
  it('takes a backup, shows its progress beside the result, and ends with 0', async () => {
    await using platform = await FakePlatform.start();
    platform.on(start, { status: 202, body: backup({ state: 'queued' }) });
    platform.on(one, { body: runningBackup() }, { body: backup() });
    const { code, stdout, stderr } = await mainstay(platform, ['backup']);
    expect(code).toBe(0);
    expect(stderr).toBe(
      `Mainstay at ${platform.url}\n  backup  25%  chunks, 4.0 MB, 2.0 MB/s\n  backup 100%  done, 4.0 MB, 2.0 MB/s\n`,
    );
    expect(stdout).toMatch(/^ {2}shard-a +3 +1,000 +2\.0 MB +500\.0 kB +4\.00$/m);
    expect(stdout).toContain(`backup ${backupId}: complete in 2.0 s, every object read back`);
    expect(platform.calls[0]).toEqual({ route: start, query: '', body: {} });
  });

  it('takes the shards that are named, and prints nothing but the backup for a program', async () => {
    await using platform = await FakePlatform.start();
    platform.on(start, { status: 202, body: backup() }).on(one, { body: backup() });
    const { code, stdout, stderr } = await mainstay(platform, [
      'backup',
      '--shard',
      'shard-b',
      '--shard=shard-a',
      '--json',
    ]);
    expect({ code, stderr, backup: JSON.parse(stdout) }).toEqual({ code: 0, stderr: '', backup: backup() });
    expect(platform.calls[0]?.body).toEqual({ shards: ['shard-b', 'shard-a'] });
  });

  it('asks for a full one when that is wanted, and says what of earlier ones is referred to', async () => {
    await using platform = await FakePlatform.start();
    const ended = backup({ type: 'incremental', referencedBytes: 3_000_000 });
    platform.on(start, { status: 202, body: backup() }).on(one, { body: ended });
    const { code, stdout } = await mainstay(platform, ['backup', '--full']);
    expect(code).toBe(0);
    expect(stdout).toContain('every object read back, 3.0 MB of earlier backups referred to');
    expect(platform.calls[0]?.body).toEqual({ type: 'full' });
  });

  it('ends with 1 and the cause when the backup fails', async () => {
    await using platform = await FakePlatform.start();
    const failed = backup({ state: 'failed', error: { code: 'X', message: 'The disk is full.' } });
    platform.on(start, { status: 202, body: backup() }).on(one, { body: failed });
    const { code, stdout, stderr } = await mainstay(platform, ['backup', '--json']);
    expect({ code, state: JSON.parse(stdout).state }).toEqual({ code: 1, state: 'failed' });
    expect(stderr).toBe(`The backup ${backupId} failed: The disk is full.\n`);
  });

  it('says what the platform refuses, field by field', async () => {
    await using platform = await FakePlatform.start();
    const errors = [{ field: 'body.shards', message: 'names a shard twice' }];
    const body = { title: 'Invalid request', status: 400, detail: 'Not accepted.', traceId: 'abc', errors };
    platform.on(start, { status: 400, body });
    const { code, stderr } = await mainstay(platform, ['backup']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '400: Invalid request: Not accepted. (trace abc)\n  body.shards names a shard twice\n',
    );
  });

  it('goes on looking when the platform does not answer for a moment', async () => {
    await using platform = await FakePlatform.start();
    const busy = { status: 503, body: { message: 'Service Unavailable' } };
    platform.on(start, { status: 202, body: backup() }).on(one, busy, busy, { body: backup() });
    expect((await mainstay(platform, ['backup'])).code).toBe(0);
  });

  it('returns at once with --detach, and names the command that shows it', async () => {
    await using platform = await FakePlatform.start();
    platform.on(start, { status: 202, body: runningBackup() });
    const { code, stdout } = await mainstay(platform, ['backup', '--detach', '--url', platform.url]);
    expect({ code, calls: platform.calls.length }).toEqual({ code: 0, calls: 1 });
    expect(stdout).toContain(`npx mainstay backup --follow ${backupId} --url ${platform.url}\n`);
  });

  it('cancels a running one', async () => {
    await using platform = await FakePlatform.start();
    const cancel = `POST /api/disaster-recovery/backups/${backupId}/cancel`;
    platform.on(cancel, { status: 202, body: runningBackup() });
    const { code } = await mainstay(platform, ['backup', '--cancel', backupId]);
    expect({ code, routes: platform.calls.map(({ route }) => route) }).toEqual({ code: 0, routes: [cancel] });
  });

  it('refuses options that do not go together, and sends nothing', async () => {
    await using platform = await FakePlatform.start();
    const { code, stderr } = await mainstay(platform, ['backup', '--cancel', backupId, '--shard', 'shard-a']);
    expect({ code, calls: platform.calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain("'--cancel <id>' cannot be used with option '--shard <name>'");
  });
});
