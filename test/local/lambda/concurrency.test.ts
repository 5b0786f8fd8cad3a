import { afterEach, describe, expect, it } from '@jest/globals';
import type { LambdaHostOptions } from '../../../local/lambda/host-options.ts';
import { canSampleAtOnce } from '../../../local/lambda/memory.ts';
import { isAlive, LambdaFixture, until } from './fixture.ts';

const testWithProc = canSampleAtOnce ? it : it.skip;

let fixture: LambdaFixture;
afterEach(() => fixture.end());

async function started(options: Partial<LambdaHostOptions> = {}): Promise<LambdaFixture> {
  fixture = new LambdaFixture(options);
  await fixture.host.start();
  return fixture;
}

/** Returns its process's id after the given time. */
const sleeper =
  'export const handler = (event) => new Promise((done) => setTimeout(done, event.ms ?? 0, process.pid));';

describe('execution environments', () => {
  it('handle one invocation at a time and are reused, the one used last first', async () => {
    await started();
    await fixture.define('pool', sleeper);
    const pids = await Promise.all([1, 2, 3].map(() => fixture.call('pool', { ms: 100 })));
    expect(new Set(pids).size).toBe(3);
    const last = await fixture.call('pool');
    expect(pids).toContain(last);
    expect(await fixture.call('pool')).toBe(last);
    expect(fixture.reports.map(({ coldStart }) => coldStart)).toEqual([true, true, true, false, false]);
  });

  it('end when they have been idle', async () => {
    await started({ idle: { idleTimeoutMs: 80 } });
    await fixture.define('idle', sleeper);
    await fixture.call('idle');
    await until(() => fixture.host.environments().length === 0);
  });

  it('end sooner when more are idle than are kept, the one used last not', async () => {
    await started({ idle: { keepIdle: 1, surplusIdleTimeoutMs: 80 } });
    await fixture.define('surplus', sleeper);
    const calls = [1, 2, 3].map(() => fixture.call('surplus', { ms: 100 }));
    expect(new Set(await Promise.all(calls)).size).toBe(3);
    const last = await fixture.call('surplus');
    await until(() => fixture.host.environments().length === 1);
    expect(fixture.host.environments()[0]?.pid).toBe(last);
  });

  it('are no more than the account may have: idle ones make room, of any function', async () => {
    await started({ accountConcurrency: 2 });
    await fixture.define('first', sleeper);
    await fixture.define('second', sleeper);
    await Promise.all([fixture.call('first', { ms: 50 }), fixture.call('first', { ms: 50 })]);
    await fixture.call('second');
    await until(() => fixture.host.environments().length === 2);
    expect(
      fixture.host
        .environments()
        .map(({ functionName }) => functionName)
        .sort(),
    ).toEqual(['first', 'second']);
  });

  it('are replaced when the code changes, and a running invocation ends in the old one', async () => {
    await started();
    const definition = await fixture.define(
      'changing',
      "export const handler = (event) => new Promise((done) => setTimeout(done, event.ms ?? 0, 'old'));",
    );
    const running = fixture.call('changing', { ms: 300 });
    await until(() => fixture.host.environments().some(({ state }) => state === 'busy'));
    const [old] = fixture.host.environments();
    const codeDirectory = fixture.code("export const handler = () => 'new';");
    await fixture.host.ensureFunction({ ...definition, codeDirectory });
    expect(await fixture.call('changing')).toBe('new');
    expect(await running).toBe('old');
    await until(async () => !(await isAlive(old?.pid ?? 0)));
    await until(() => fixture.host.environments().length === 1);
    const [before] = fixture.host.environments();
    await fixture.host.ensureFunction({ ...definition, codeDirectory });
    expect(fixture.host.environments()[0]?.pid).toBe(before?.pid);
  });

  testWithProc('show their memory', async () => {
    await started();
    await fixture.define(
      'measured',
      'let held; export const handler = () => { held = Buffer.alloc(60 << 20, 1); held = undefined; return 1; };',
    );
    await fixture.call('measured');
    const [environment] = fixture.host.environments();
    expect(environment).toMatchObject({ functionName: 'measured', state: 'idle', invocations: 1 });
    expect(environment?.rssBytes).toBeGreaterThan(20 << 20);
    expect(environment?.peakRssBytes).toBeGreaterThan(90 << 20);
    expect(fixture.host.peakRssBytes('measured')).toBeGreaterThan(90 << 20);
    expect(fixture.reports[0]?.maxMemoryUsedBytes).toBeGreaterThan(90 << 20);
  });
});

describe('concurrency limits', () => {
  it('throttle beyond what the account has', async () => {
    await started({ accountConcurrency: 1 });
    await fixture.define('busy', sleeper);
    const running = fixture.call('busy', { ms: 300 });
    await expect(fixture.host.invoke('busy', '{}')).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      statusCode: 429,
      message: 'Rate Exceeded.',
      details: { Reason: 'ConcurrentInvocationLimitExceeded' },
    });
    await running;
    await fixture.call('busy');
    expect(fixture.reports.map(({ throttled }) => throttled)).toEqual([true, false, false]);
  });

  it('throttle beyond what is reserved for a function', async () => {
    await started();
    await fixture.define('off', sleeper, { reservedConcurrency: 0 });
    await expect(fixture.host.invoke('off', '{}')).rejects.toMatchObject({
      details: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
    });
    await fixture.define('one', sleeper, { reservedConcurrency: 1 });
    const running = fixture.call('one', { ms: 200 });
    await expect(fixture.host.invoke('one', '{}')).rejects.toMatchObject({
      code: 'TooManyRequestsException',
    });
    await running;
  });
});

describe('a definition', () => {
  it.each([
    ['too little memory', { memoryMiB: 64 }, 'memoryMiB'],
    ['too long a timeout', { timeoutSeconds: 901 }, 'timeoutSeconds'],
    ['a handler without an export', { handler: 'nothing' }, 'handler'],
    ['a variable that Lambda sets', { environment: { AWS_REGION: 'x' } }, 'AWS_REGION'],
    ['more variables than fit', { environment: { BIG: 'x'.repeat(4096) } }, '4KB'],
  ])('is refused with %s', async (_, overrides, names) => {
    await started();
    const definition = fixture.definition('refused', sleeper, overrides);
    await expect(fixture.host.ensureFunction(definition)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
      message: expect.stringContaining(names),
    });
  });
});
