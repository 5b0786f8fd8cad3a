import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { arnOf, LambdaFixture } from './fixture.ts';

const fixture = new LambdaFixture();

beforeAll(() => fixture.host.start());
afterAll(() => fixture.end());

describe('an invocation', () => {
  it('runs the bundle with its event and gives back what the handler returns', async () => {
    await fixture.define('echo', 'export const handler = async (event) => ({ got: event });');
    const result = await fixture.host.invoke('echo', '{"a":[1,"é\\u0000"]}');
    expect(result).toMatchObject({ statusCode: 200, executedVersion: '$LATEST', functionError: undefined });
    expect(JSON.parse(result.payload ?? '')).toEqual({ got: { a: [1, 'é\u0000'] } });
  });

  it('gives an empty payload as an empty object, and nothing returned as null', async () => {
    await fixture.define(
      'keys',
      'export const handler = (event) => Object.keys(event).length ? 1 : undefined;',
    );
    expect((await fixture.host.invoke('keys', '')).payload).toBe('null');
  });

  it('tells the handler its context', async () => {
    await fixture.define(
      'context',
      'export const handler = async (_, context) => ({ ...context, remaining: context.getRemainingTimeInMillis() });',
      { memoryMiB: 300, timeoutSeconds: 7, aliases: { live: '3' } },
    );
    const result = await fixture.host.invoke(`${arnOf('context')}:live`, '{}', {
      clientContext: '{"custom":{"a":"b"}}',
    });
    const context: unknown = JSON.parse(result.payload ?? '');
    expect(context).toMatchObject({
      awsRequestId: result.requestId,
      functionName: 'context',
      functionVersion: '$LATEST',
      invokedFunctionArn: `${arnOf('context')}:live`,
      memoryLimitInMB: '300',
      logGroupName: '/aws/lambda/context',
      clientContext: { custom: { a: 'b' } },
    });
    expect(context).toHaveProperty(
      'logStreamName',
      expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/),
    );
    const { remaining } = z.object({ remaining: z.number() }).parse(context);
    expect(remaining).toBeGreaterThan(6000);
    expect(remaining).toBeLessThanOrEqual(7000);
    expect(result.executedVersion).toBe('3');
  });

  it('runs in a clean environment with the variables of Lambda', async () => {
    process.env.MAINSTAY_SECRET_OF_THE_DEVELOPER = 'x';
    await fixture.define(
      'variables',
      'export const handler = async () => ({ ...process.env, cwd: process.cwd() });',
      {
        environment: { OWN: 'value', TZ: 'Europe/Vienna' },
      },
    );
    const variables = await fixture.call('variables');
    delete process.env.MAINSTAY_SECRET_OF_THE_DEVELOPER;
    expect(variables).toEqual({
      OWN: 'value',
      LANG: 'en_US.UTF-8',
      TZ: 'Europe/Vienna',
      PATH: expect.any(String),
      HOME: expect.stringContaining('environments'),
      TMPDIR: expect.stringContaining('environments'),
      cwd: expect.stringContaining('code'),
      _HANDLER: 'index.handler',
      _X_AMZN_TRACE_ID: expect.stringMatching(
        /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$/,
      ),
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret of arn:aws:iam::000000000000:role/variables',
      AWS_SESSION_TOKEN: 'token',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: 'variables',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_FORMAT: 'Text',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/variables',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.any(String),
      AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:9',
      LAMBDA_TASK_ROOT: expect.stringContaining('code'),
      LAMBDA_RUNTIME_DIR: '/var/runtime',
    });
  });

  it('carries the trace of the caller on, with a parent of its own', async () => {
    await fixture.define('trace', 'export const handler = async () => process.env._X_AMZN_TRACE_ID;');
    const root = '1-5759e988-bd862e3fe1be46a994272793';
    const traceHeader = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`;
    const { payload } = await fixture.host.invoke('trace', '{}', { traceHeader });
    expect(payload).toMatch(new RegExp(`^"Root=${root};Parent=(?!53995c3f42cd8ad8)[0-9a-f]{16};Sampled=1"$`));
  });

  it('answers an event that is accepted, and one that is only tried, without a payload', async () => {
    await fixture.define('types', 'export const handler = async () => 1;');
    expect(await fixture.host.invoke('types', '{}', { type: 'Event' })).toMatchObject({
      statusCode: 202,
      payload: undefined,
    });
    expect(await fixture.host.invoke('types', '{}', { type: 'DryRun' })).toMatchObject({
      statusCode: 204,
      payload: undefined,
    });
  });

  it('refuses payloads that are too large or no JSON', async () => {
    await fixture.define('sizes', 'export const handler = async (event) => event.length;');
    const text = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`;
    expect((await fixture.host.invoke('sizes', text(6 * 1024 * 1024))).payload).toBe(
      String(6 * 1024 * 1024 - 2),
    );
    await expect(fixture.host.invoke('sizes', text(6 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: 'RequestEntityTooLargeException',
      statusCode: 413,
    });
    await expect(
      fixture.host.invoke('sizes', text(1024 * 1024 + 1), { type: 'Event' }),
    ).rejects.toMatchObject({
      message: '1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)',
    });
    await expect(fixture.host.invoke('sizes', '{"a":')).rejects.toMatchObject({
      code: 'InvalidRequestContentException',
      statusCode: 400,
    });
  });

  it('is refused for a function or a qualifier that does not exist', async () => {
    await fixture.define('known', 'export const handler = async () => 1;');
    for (const reference of [
      'unknown',
      `${arnOf('known')}:beta`,
      arnOf('known').replace('us-east-1', 'eu-west-1'),
    ]) {
      await expect(fixture.host.invoke(reference, '{}')).rejects.toMatchObject({
        code: 'ResourceNotFoundException',
      });
    }
    await expect(fixture.host.invoke('a b', '{}')).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('loads a CommonJS bundle and a handler in a directory', async () => {
    const definition = fixture.definition('commonjs', '', { handler: 'sub/main.run' });
    const { mkdirSync, writeFileSync } = await import('node:fs');
    mkdirSync(`${definition.codeDirectory}/sub`);
    writeFileSync(
      `${definition.codeDirectory}/sub/main.cjs`,
      'exports.run = async () => require("node:path").sep;',
    );
    await fixture.host.ensureFunction(definition);
    expect(await fixture.call('commonjs')).toBe('/');
  });
});

describe('what a function writes', () => {
  it('reaches listeners line by line with its request, before the invocation resolves', async () => {
    await fixture.define(
      'writer',
      `process.stdout.write('loading\\n');
       export const handler = async () => { process.stdout.write('one\\ntwo'); process.stderr.write('three\\n'); };`,
    );
    const first = await fixture.host.invoke('writer', '{}');
    const second = await fixture.host.invoke('writer', '{}');
    const seen = fixture.lines.filter(({ functionName }) => functionName === 'writer');
    expect(seen.filter(({ requestId }) => requestId === undefined).map(({ text }) => text)).toEqual([
      'loading',
    ]);
    for (const { requestId } of [first, second]) {
      const lines = seen.filter((line) => line.requestId === requestId);
      expect(lines.map(({ stream, text }) => `${stream}: ${text}`).sort()).toEqual([
        'stderr: three',
        'stdout: one',
        'stdout: two',
      ]);
    }
    expect(first.logTail.split('\n').sort()).toEqual(['', 'one', 'three', 'two']);
  });

  it('has the form of Lambda when it comes from the console', async () => {
    await fixture.define('console', "export const handler = async () => { console.warn('a %s\\nb', 1); };");
    const { requestId } = await fixture.host.invoke('console', '{}');
    expect(fixture.textOf('console')).toEqual([
      expect.stringMatching(new RegExp(`^\\d{4}-.*Z\\t${requestId}\\tWARN\\ta 1\\rb$`)),
    ]);
  });

  it('is JSON when the function asks for that', async () => {
    await fixture.define(
      'json-console',
      "export const handler = async () => { console.log({ a: 1 }); console.error(new Error('no')); };",
      {
        logFormat: 'JSON',
      },
    );
    const { requestId } = await fixture.host.invoke('json-console', '{}');
    const [first = '', second = ''] = fixture.textOf('json-console');
    expect(JSON.parse(first)).toMatchObject({ level: 'INFO', requestId, message: { a: 1 } });
    expect(JSON.parse(second)).toMatchObject({ level: 'ERROR', errorType: 'Error', errorMessage: 'no' });
  });

  it('is kept in a file that only its owner can read', async () => {
    await fixture.define('filed', "export const handler = async () => { process.stdout.write('kept\\n'); };");
    await fixture.call('filed');
    const { readFileSync, statSync } = await import('node:fs');
    expect(readFileSync(fixture.host.logFile('filed'), 'utf8')).toBe('kept\n');
    expect(statSync(fixture.host.logFile('filed')).mode & 0o777).toBe(0o600);
  });
});
