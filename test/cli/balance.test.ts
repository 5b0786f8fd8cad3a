import { describe, expect, it } from '@jest/globals';
import { ApiClient } from '../../cli/api-client.ts';
import { readBalance } from '../../cli/balance.ts';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';
import { analysis, recommendation } from './support/samples.ts';

const analyze = 'GET /api/database/rebalancing/analyze';
const recommend = 'GET /api/database/rebalancing/recommend';
const later = '2026-11-21T14:05:00.000Z';

async function unevenPlatform() {
  const platform = await FakePlatform.start();
  return platform.on(analyze, { body: analysis() }).on(recommend, { body: recommendation() });
}

describe('mainstay balance', () => {
  it('shows the shards beside what they should have, the heaviest slots, and the moves', async () => {
    await using platform = await unevenPlatform();
    const { code, stdout } = await mainstay(platform, ['balance']);
    expect(code).toBe(0);
    expect(stdout).toContain('uneven: variance 0.500 (threshold 0.2), balance score 0.667');
    expect(stdout).toMatch(/^ {2}shard-a +3,000 +3\.0 MB +30\.0 +75\.0 % +50\.0 % +50\.0 %$/m);
    expect(stdout).toMatch(/^ +7 +shard-a +1,000 +1\.0 MB +25\.00 %$/m);
    expect(stdout).toContain('\n\n  One move makes them even.\n\n');
    expect(stdout).toMatch(/^ +1 +7–8 +shard-a → shard-b +1,000 +1\.0 MB +50 ms +0\.000$/m);
    expect(stdout).toMatch(/^ +all +1,000 +1\.0 MB +50 ms +\$0\.01\n$/m);
    const { stdout: json } = await mainstay(platform, ['balance', '--json']);
    expect(JSON.parse(json)).toEqual({ analysis: analysis(), plan: recommendation() });
  });

  it('says when there is nothing to compare and nothing to move', async () => {
    await using platform = await unevenPlatform();
    platform.on(analyze, { body: analysis({ variance: null, balanceScore: null, slots: [] }) });
    platform.on(recommend, { body: recommendation({ moves: [], explanation: ['They are even.'] }) });
    const { stdout } = await mainstay(platform, ['balance']);
    expect(stdout).toMatch(/^ {2}there is nothing to compare yet\n\n {2}shard /);
    expect(stdout).toMatch(/\n\n {2}They are even\.\n$/);
  });

  it('asks for the plan that it is told', async () => {
    await using platform = await unevenPlatform();
    const wish = ['--threshold', '0.1', '--max-moves', '3', '--add', 'shard-c', '--drain', 'shard-a,shard-b'];
    expect((await mainstay(platform, ['balance', ...wish])).code).toBe(0);
    expect(platform.calls.at(-1)).toMatchObject({
      route: recommend,
      query: '?threshold=0.1&maxMoves=3&add=shard-c&drain=shard-a%2Cshard-b',
    });
  });

  it.each(['--threshold', '--max-moves'])('refuses %s that is no positive number', async (option) => {
    await using platform = await unevenPlatform();
    const { code, stderr } = await mainstay(platform, ['balance', option, 'few']);
    expect(code).toBe(2);
    expect(stderr).toContain('It takes a positive number.');
    expect(platform.calls).toEqual([]);
  });

  it('waits for an analysis that it has started, and not for less', async () => {
    await using platform = await unevenPlatform();
    const run = (state: string, finishedAt: string | null) => ({
      ...{ id: 'r2', state, startedAt: later, finishedAt },
    });
    platform.on(`${analyze}?fresh=true`, { status: 202, body: run('queued', null) });
    const done = analysis({ run: run('completed', later) });
    platform.on(
      analyze,
      { body: analysis() },
      { body: analysis({ run: run('running', null) }) },
      { body: done },
    );
    let waits = 0;
    const client = new ApiClient({ baseUrl: platform.url, apiKey: FakePlatform.key });
    const report = await readBalance(
      client,
      {},
      {
        ...{ fresh: true, signal: AbortSignal.timeout(10_000), intervalMs: 1 },
        waiting: () => {
          waits += 1;
        },
      },
    );
    expect(report.analysis).toEqual(done);
    expect(waits).toBe(1);
    expect(platform.calls.map(({ route }) => route)).toEqual([...Array(4).fill(analyze), recommend]);
  });
});
