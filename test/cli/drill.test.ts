import { describe, expect, it } from '@jest/globals';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';
import { backupId, drill, drillId, drillReport } from './support/samples.ts';

const start = 'POST /api/disaster-recovery/test';
const one = `GET /api/disaster-recovery/test/${drillId}`;
const report = `${one}/report`;

describe('mainstay drill', () => {
  it('rehearses the newest backup, and ends with what was measured', async () => {
    await using platform = await FakePlatform.start();
    platform.on(start, { status: 202, body: drill({ state: 'queued', finishedAt: null }) });
    platform.on(one, { body: drill() }).on(report, { body: drillReport() });
    const { code, stdout } = await mainstay(platform, ['drill']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /would be lost \(RPO\) +2\.0 h +26\.0 h +within the target|RPO.*within the target/,
    );
    expect(stdout).toMatch(/RTO.*over the target/);
    expect(stdout).toContain(`  drill ${drillId}: passed, backup ${backupId}\n`);
    expect(platform.calls[0]?.body).toEqual({});
  });

  it.each([
    [['--random'], { restorePoint: 'random' }],
    [['--backup', backupId, '--shard', 'shard-a'], { restorePoint: backupId, shards: ['shard-a'] }],
    [['--read-again', '--keys', 'escrow'], { reuseVerification: false, keys: 'escrow' }],
  ])('asks for what it is told: %j', async (options, body) => {
    await using platform = await FakePlatform.start();
    platform.on(start, { status: 202, body: drill() }).on(one, { body: drill() });
    platform.on(report, { body: drillReport() });
    expect((await mainstay(platform, ['drill', ...options])).code).toBe(0);
    expect(platform.calls[0]?.body).toEqual(body);
  });

  it('names what was found, and ends with 1', async () => {
    await using platform = await FakePlatform.start();
    const failed = drill({
      ...{ state: 'failed', error: { code: 'DrillFindingsError', message: '1 findings.' }, findingsTotal: 1 },
      findings: [
        {
          shard: 'shard-a',
          check: 'assertions',
          object: 'orders',
          problem: 'Expected no rows.',
          accepted: false,
        },
      ],
    });
    platform.on(start, { status: 202, body: drill() }).on(one, { body: failed });
    platform.on(report, { body: drillReport({ scratchDatabases: 'to be removed' }) });
    const { code, stdout, stderr } = await mainstay(platform, ['drill']);
    expect(code).toBe(1);
    expect(stdout).toContain('  shard-a: orders: Expected no rows.\n');
    expect(stdout).toContain('tried again every hour');
    expect(stderr).toContain(`The drill ${drillId} failed: 1 findings.`);
  });

  it('cancels one, and refuses what contradicts itself', async () => {
    await using platform = await FakePlatform.start();
    platform.on(`POST /api/disaster-recovery/test/${drillId}/cancel`, { status: 202, body: drill() });
    expect((await mainstay(platform, ['drill', '--cancel', drillId])).stdout).toContain('is being canceled');
    expect((await mainstay(platform, ['drill', '--random', '--backup', 'x'])).code).toBe(2);
  });
});
