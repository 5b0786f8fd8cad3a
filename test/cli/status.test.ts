import { describe, expect, it } from '@jest/globals';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';
import { backupSummary, restore, restoreId, runningBackup } from './support/samples.ts';

const at = '2026-11-21T14:00:00.000Z';
const backups = 'GET /api/disaster-recovery/backups';
const up = { name: 'table:recovery', state: 'up', latencyMs: 3 };
const down = { name: 'shard:shard-a:writer', state: 'down', latencyMs: 3000, reason: 'timeout' };

async function platformIn(state: 'ready' | 'unready') {
  const platform = await FakePlatform.start();
  const dependencies = state === 'ready' ? [up] : [up, down];
  return platform
    .on('GET /api/health', { body: { status: 'ok', environment: 'test', version: '1.2.3', time: at } })
    .on('GET /api/ready', {
      status: state === 'ready' ? 200 : 503,
      body: { status: state, checkedAt: at, dependencies },
    })
    .on(backups, { body: { backups: [], nextToken: null } })
    .on('GET /api/disaster-recovery/restores', { body: { restores: [], nextToken: null } });
}

describe('mainstay status', () => {
  it('ends with 0 while every dependency answers', async () => {
    await using platform = await platformIn('ready');
    const { code, stdout } = await mainstay(platform, ['status']);
    expect(code).toBe(0);
    expect(stdout).toContain('test, version 1.2.3: healthy');
    expect(stdout).toMatch(/no backups\n\n {2}nothing is running\n$/);
  });

  it('names what is down, and ends with 1', async () => {
    await using platform = await platformIn('unready');
    const { code, stdout } = await mainstay(platform, ['status']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}shard:shard-a:writer +down: timeout +3000\.0 ms$/m);
  });

  it('lists backups with what is known of them, and what is running', async () => {
    await using platform = await platformIn('ready');
    const page = (...list: unknown[]) => ({ body: { backups: list, nextToken: null } });
    const verification = { operationId: 'x', state: 'completed', at, findings: 1 };
    platform.on(
      `${backups}?limit=5`,
      page(backupSummary(), backupSummary({ verified: false, verification })),
    );
    platform.on(`${backups}?limit=20&state=running`, page(backupSummary({ state: 'running' })));
    platform.on(`${backups}/${runningBackup().id}`, { body: runningBackup() });
    const restores = [restore({ state: 'running', identical: null }), restore()];
    platform.on('GET /api/disaster-recovery/restores', { body: { restores, nextToken: null } });
    const { stdout } = await mainstay(platform, ['status']);
    expect(stdout).toMatch(/ verified +full +2026-11-21 14:00 +2,000 +1\.0 MB\n.* damaged /);
    expect(stdout).toMatch(/^ {2}backup +\S+ +running +chunks +1 of 4$/m);
    expect(stdout).toMatch(new RegExp(`^ {2}restore +${restoreId} +running +done +4 of 4$`, 'm'));
    const json = JSON.parse((await mainstay(platform, ['status', '--json'])).stdout);
    expect(json).toMatchObject({
      url: platform.url,
      healthy: true,
      running: { restores: [{ id: restoreId }] },
    });
  });

  it('ends with 3 when the key is not accepted, or nothing answers', async () => {
    await using platform = await platformIn('ready');
    const wrong = await mainstay(platform, ['status'], { env: { MAINSTAY_API_KEY: 'wrong' } });
    expect(wrong.code).toBe(3);
    expect(wrong.stderr).not.toContain('wrong');
    const { code, stderr } = await mainstay(platform, ['status'], {
      env: { MAINSTAY_URL: 'http://127.0.0.1:9' },
    });
    expect(code).toBe(3);
    expect(stderr).toContain('http://127.0.0.1:9 does not answer (bad port). Is it running?');
  });

  it('says when the platform is of another version', async () => {
    await using platform = await platformIn('ready');
    platform.on('GET /api/health', { body: { status: 'ok', environment: 'test' } });
    const { code, stderr } = await mainstay(platform, ['status']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/GET \/api\/health answered in a form that this version does not know: version: /);
  });
});
