import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { canSampleAtOnce } from '../../../local/lambda/memory.ts';
import { isAlive, LambdaFixture, until } from './fixture.ts';

const testWithProc = canSampleAtOnce ? it : it.skip;
const fixture = new LambdaFixture({ initTimeoutMs: 1000 });

beforeAll(() => fixture.host.start());
afterAll(() => fixture.end());

const failureSchema = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).optional(),
});

/** Invokes a function that fails, and gives the error it reports. */
async function failureOf(name: string, event: unknown = {}): Promise<z.infer<typeof failureSchema>> {
  const result = await fixture.host.invoke(name, JSON.stringify(event));
  expect(result).toMatchObject({ statusCode: 200, functionError: 'Unhandled' });
  return failureSchema.parse(JSON.parse(result.payload ?? ''));
}

describe('a function that fails', () => {
  it('reports what the handler throws, and handles the next event in the same process', async () => {
    await fixture.define(
      'throws',
      `export const handler = async (event) => {
         if (event.fine) return process.pid;
         throw Object.assign(new RangeError('out of range'), { pid: process.pid });
       };`,
    );
    const failure = await failureOf('throws');
    expect(failure).toMatchObject({ errorType: 'RangeError', errorMessage: 'out of range' });
    expect(failure.trace?.[0]).toBe('RangeError: out of range');
    expect(fixture.textOf('throws').join()).toContain('Invoke Error');
    expect(await fixture.call('throws', { fine: true })).toBe(
      fixture.host.environments().find(({ functionName }) => functionName === 'throws')?.pid,
    );
    expect(
      fixture.reports.filter(({ functionName }) => functionName === 'throws').map(({ error }) => error),
    ).toEqual(['RangeError', undefined]);
  });

  it('reports thrown values that are no errors', async () => {
    await fixture.define('throws-text', "export const handler = async () => { throw 'just text'; };");
    expect(await failureOf('throws-text')).toEqual({
      errorType: 'string',
      errorMessage: 'just text',
      trace: [],
    });
  });

  it('is timed out and its process is killed, even one that never yields', async () => {
    await fixture.define('endless', 'export const handler = () => { for (;;) {} };', { timeoutSeconds: 1 });
    const running = failureOf('endless');
    await until(() => fixture.host.environments().some(({ functionName }) => functionName === 'endless'));
    const pid = fixture.host.environments().find(({ functionName }) => functionName === 'endless')?.pid ?? 0;
    const failure = await running;
    expect(failure.errorType).toBe('Sandbox.Timedout');
    expect(failure.errorMessage).toMatch(
      /^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/,
    );
    await until(async () => !(await isAlive(pid)));
  });

  it('is killed with everything it began', async () => {
    await fixture.define(
      'parent',
      `import { spawn } from 'node:child_process';
       export const handler = async () => {
         const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
         console.log('child ' + child.pid);
         await new Promise(() => {});
       };`,
    );
    const running = failureOf('parent');
    const childPid = (): number => Number(/child (\d+)/.exec(fixture.textOf('parent').join())?.[1] ?? 0);
    await until(() => childPid() > 0);
    fixture.host.kill('parent', { when: 'after' });
    expect((await running).errorType).toBe('Runtime.ExitError');
    await until(async () => !(await isAlive(childPid())));
  });

  it('is killed when it uses more memory than it has', async () => {
    await fixture.define(
      'hungry',
      `const held = [];
       export const handler = async () => {
         for (;;) { held.push(Buffer.alloc(8 << 20, 1)); await new Promise((done) => setTimeout(done, 5)); }
       };`,
      { memoryMiB: 128 },
    );
    const failure = await failureOf('hungry');
    expect(failure.errorType).toBe('Runtime.OutOfMemory');
    expect(failure.errorMessage).toMatch(/Runtime exited with error: signal: killed$/);
    expect(fixture.host.peakRssBytes('hungry')).toBeGreaterThan(128 * 1024 * 1024);
    expect(fixture.reports.at(-1)).toMatchObject({ functionName: 'hungry', error: 'Runtime.OutOfMemory' });
  });

  testWithProc('is out of memory even when its peak was too short to be seen', async () => {
    await fixture.define('short-peak', 'export const handler = () => Buffer.alloc(200 << 20, 1).length;', {
      memoryMiB: 128,
    });
    expect((await failureOf('short-peak')).errorType).toBe('Runtime.OutOfMemory');
  });

  it.each([
    ['process.exit(3)', 'Runtime exited with error: exit status 3'],
    ['process.exit(0)', 'Runtime exited without providing a reason'],
    ["process.kill(process.pid, 'SIGSEGV')", 'Runtime exited with error: signal: segmentation fault'],
  ])('reports that its process ended by %s', async (code, reason) => {
    await fixture.define(
      'exits',
      `export const handler = async () => { ${code}; await new Promise(() => {}); };`,
    );
    const failure = await failureOf('exits');
    expect(failure.errorType).toBe('Runtime.ExitError');
    expect(failure.errorMessage).toMatch(new RegExp(`^RequestId: [0-9a-f-]{36} Error: ${reason}$`));
  });

  it('loses its process to a rejection that nobody handles', async () => {
    await fixture.define(
      'rejects',
      `export const handler = async (event) => {
         if (event.fine) return 'fine';
         Promise.reject(new Error('forgotten'));
         await new Promise(() => {});
       };`,
    );
    expect(await failureOf('rejects')).toMatchObject({
      errorType: 'Runtime.UnhandledPromiseRejection',
      errorMessage: 'Error: forgotten',
    });
    expect(await fixture.call('rejects', { fine: true })).toBe('fine');
    expect(
      fixture.reports
        .filter(({ functionName }) => functionName === 'rejects')
        .map(({ coldStart }) => coldStart),
    ).toEqual([true, true]);
  });

  it('loses its process to an exception that nobody catches', async () => {
    await fixture.define(
      'uncaught',
      "export const handler = () => new Promise(() => setTimeout(() => { throw new TypeError('late'); }, 5));",
    );
    expect(await failureOf('uncaught')).toMatchObject({ errorType: 'TypeError', errorMessage: 'late' });
  });

  it.each([
    ['a result that is too large', "'x'.repeat(6 * 1024 * 1024 + 100)", 'Function.ResponseSizeTooLarge'],
    ['a result that is no JSON', '({ big: 1n })', 'Error'],
  ])('fails with %s', async (_, result, errorType) => {
    await fixture.define('result', `export const handler = async () => ${result};`);
    expect((await failureOf('result')).errorType).toBe(errorType);
  });

  it.each([
    [
      'a missing package',
      "import 'no-such-package'; export const handler = () => 1;",
      'index.handler',
      'Runtime.ImportModuleError',
    ],
    [
      'a package that is not bundled',
      "import 'zod'; export const handler = () => 1;",
      'index.handler',
      'Runtime.ImportModuleError',
    ],
    ['a missing file', '', 'other.handler', 'Runtime.ImportModuleError'],
    ['a missing export', 'export const other = 1;', 'index.handler', 'Runtime.HandlerNotFound'],
    ['a syntax error', 'export const handler = (;', 'index.handler', 'Runtime.UserCodeSyntaxError'],
    [
      'a bundle that throws',
      "throw new EvalError('no'); export const handler = 1;",
      'index.handler',
      'EvalError',
    ],
    [
      'a bundle that exits',
      'process.exit(4); export const handler = 1;',
      'index.handler',
      'Runtime.ExitError',
    ],
  ])('reports %s', async (_, code, handler, errorType) => {
    const definition = fixture.definition('unloadable', code, { handler });
    // Where a package of the project would be found by looking upwards, as in a cloud assembly.
    mkdirSync(join(fixture.root, 'node_modules', 'zod'), { recursive: true });
    writeFileSync(join(fixture.root, 'node_modules', 'zod', 'index.js'), '');
    await fixture.host.ensureFunction(definition);
    expect((await failureOf('unloadable')).errorType).toBe(errorType);
  });

  it('is timed out while it is loaded', async () => {
    await fixture.define('slow-start', 'await new Promise(() => setInterval(() => {}, 1000));', {
      timeoutSeconds: 1,
    });
    expect((await failureOf('slow-start')).errorMessage).toContain('Task timed out after 1.00 seconds');
  });

  it('leaves no private directory behind', async () => {
    await fixture.define(
      'temporary',
      "import { writeFileSync } from 'node:fs'; export const handler = () => { writeFileSync(process.env.TMPDIR + '/a', 'b'); return process.env.TMPDIR; };",
    );
    const directory = z.string().parse(await fixture.call('temporary'));
    expect(existsSync(join(directory, 'a'))).toBe(true);
    await fixture.host.stop();
    expect(readdirSync(join(fixture.directory, 'environments'))).toEqual([]);
    await expect(fixture.host.invoke('temporary', '{}')).rejects.toMatchObject({ code: 'ServiceException' });
    await fixture.host.start();
  });
});

describe('a kill for tests', () => {
  it('hits the next invocation, and only that', async () => {
    await fixture.define(
      'victim',
      'export const handler = (event) => new Promise((done) => setTimeout(done, event.ms ?? 0, 1));',
    );
    const plan = fixture.host.kill('victim', { when: 'next-invocation', afterMs: 20 });
    expect((await failureOf('victim', { ms: 5000 })).errorMessage).toMatch(/signal: killed$/);
    expect(await plan.fired).toEqual([
      { functionName: 'victim', pid: expect.any(Number), requestId: expect.any(String) },
    ]);
    expect(await fixture.call('victim')).toBe(1);
  });

  it('hits when a line is written', async () => {
    await fixture.define(
      'steps',
      "export const handler = async () => { process.stdout.write('step 1\\nstep 2\\n'); await new Promise(() => setInterval(() => {}, 1000)); };",
    );
    const plan = fixture.host.kill('steps', { when: 'log-line', matching: /step \d/g });
    expect((await failureOf('steps')).errorType).toBe('Runtime.ExitError');
    expect(await plan.fired).toHaveLength(1);
  });

  it('can be called off', async () => {
    await fixture.define('spared', 'export const handler = () => 1;');
    fixture.host.kill('spared', { when: 'next-invocation' }).cancel();
    expect(await fixture.call('spared')).toBe(1);
  });
});
