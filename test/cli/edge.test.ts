import { describe, expect, it } from '@jest/globals';
import type { Purge } from '../../functions/cdn/purge/model.ts';
import { purgeSchema } from '../../functions/cdn/purge/model.ts';
import { type Warming, warmingSchema } from '../../functions/cdn/warming/model.ts';
import { FakePlatform } from './support/fake-platform.ts';
import { mainstay } from './support/run.ts';

const id = '01K9Z9A1B2C3D4E5F6G7H8J9KM';
const at = '2026-11-22T06:00:00.000Z';

const purge = (more: Partial<Purge> = {}): Purge =>
  purgeSchema.parse({
    ...{ id, state: 'completed', stage: 'ended', trigger: 'api', provider: 'cloudfront', error: null },
    target: { kind: 'distribution', id: 'E1', domain: 'www.example.com' },
    items: { paths: 2, prefixes: 0, tags: 1, everything: false },
    progress: { calls: 1, submitted: 1, completed: 1 },
    ...{ verification: null, warmingId: null, requestedBy: null },
    ...{ createdAt: at, submittedAt: at, purgedAt: at, finishedAt: at },
    durations: { queuedMs: 0, purgeMs: 2_000, verifyMs: null, rewarmMs: null },
    ...more,
  });
const warming = (more: Partial<Warming> = {}): Warming =>
  warmingSchema.parse({
    ...{
      id,
      state: 'completed',
      trigger: 'api',
      priority: 'high',
      domain: 'www.example.com',
      concurrency: 5,
    },
    ...{ locations: [], createdAt: at, startedAt: at, finishedAt: at, requestedBy: null, scheduleId: null },
    ...{ error: null, progress: { requests: 4, done: 4, cold: 3, warm: 1, failed: 0, bytes: 2_000 } },
    ...more,
  });

describe('mainstay purge', () => {
  it('says what was forgotten, and shows the proof', async () => {
    await using platform = await FakePlatform.start();
    platform.on('POST /api/cdn/purge', { status: 202, body: purge({ state: 'queued', stage: 'checking' }) });
    const check = { path: '/a', location: 'FRA50-C1', before: 'hit', after: 'miss', status: 200 } as const;
    const verification = {
      state: 'confirmed' as const,
      checks: [{ ...check, outcome: 'confirmed' as const }],
    };
    platform.on(`GET /api/cdn/purge/${id}`, { body: purge({ verification }) });
    const { code, stdout } = await mainstay(platform, ['purge', '/a', '/b', '--tag', 'x', '--verify']);
    expect(code).toBe(0);
    expect(platform.calls[0]?.body).toEqual({ paths: ['/a', '/b'], tags: ['x'], verify: true });
    expect(stdout).toContain('completed: 2 paths, 1 tag at www.example.com, after 2.0 s');
    expect(stdout).toMatch(/^ {2}\/a +FRA50-C1 +HIT +MISS +confirmed$/m);
  });

  it('fails when it does', async () => {
    await using platform = await FakePlatform.start();
    const error = { code: 'still-cached', message: 'An edge location still serves it.' };
    platform.on('POST /api/cdn/purge', { status: 202, body: purge({ state: 'queued' }) });
    platform.on(`GET /api/cdn/purge/${id}`, { body: purge({ state: 'failed', error }) });
    const { code, stderr } = await mainstay(platform, ['purge', '--everything']);
    expect(code).toBe(1);
    expect(stderr).toContain('An edge location still serves it.');
  });
});

describe('mainstay warm', () => {
  it('warms paths, or what is popular, and not both', async () => {
    await using platform = await FakePlatform.start();
    platform.on('POST /api/cdn/warming/warm', { status: 202, body: warming({ state: 'queued' }) });
    platform.on('POST /api/cdn/warming/popular', { status: 202, body: warming({ state: 'queued' }) });
    platform.on(`GET /api/cdn/warming/${id}`, { body: warming() });
    const { stdout } = await mainstay(platform, ['warm', '/a', '--urgent']);
    expect(stdout).toBe(
      '  completed: 4 requests at www.example.com; 3 were cold, 1 warm, 0 failed; 2.0 kB\n',
    );
    expect(platform.calls[0]?.body).toEqual({ paths: ['/a'], priority: 'high' });
    await mainstay(platform, ['warm', '--popular', '10']);
    expect(platform.calls[2]).toMatchObject({ route: 'POST /api/cdn/warming/popular', body: { top: 10 } });
    for (const wrong of [['warm'], ['warm', '/a', '--popular', '3'], ['warm', '--popular', 'few']])
      expect((await mainstay(platform, wrong)).code).toBe(2);
  });
});
