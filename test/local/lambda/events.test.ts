import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LambdaHostOptions } from '../../../local/lambda/host-options.ts';
import { arnOf, LambdaFixture, until } from './fixture.ts';

let fixture: LambdaFixture;
const delivered: { arn: string; record: Record<string, unknown> }[] = [];

afterEach(async () => {
  await fixture.end();
  delivered.length = 0;
});

const quick: Partial<LambdaHostOptions> = {
  events: { retryDelaysMs: [20, 40], throttleDelayMs: 20 },
  deliver: async (arn, record) => {
    delivered.push({ arn, record });
  },
};

async function started(options: Partial<LambdaHostOptions> = {}): Promise<LambdaFixture> {
  fixture = new LambdaFixture({ ...quick, ...options });
  await fixture.host.start();
  return fixture;
}

const stored = (): string[] => readdirSync(join(fixture.directory, 'events'));
const destinations = {
  onFailureArn: 'arn:aws:sns:us-east-1:000000000000:failed',
  onSuccessArn: arnOf('next'),
};
/** Fails as often as the event says, counting in a file that all processes share. */
const failing = `
  import { appendFileSync, readFileSync } from 'node:fs';
  export const handler = async (event, context) => {
    appendFileSync(event.file, context.awsRequestId + '\\n');
    const attempts = readFileSync(event.file, 'utf8').trim().split('\\n').length;
    if (attempts <= event.failures) throw new Error('attempt ' + attempts);
    return { attempts };
  };`;

describe('an asynchronous invocation', () => {
  it('runs once it is accepted, and its success is told to the destination', async () => {
    await started();
    const file = join(fixture.root, 'attempts');
    await fixture.define('works', failing, { eventInvoke: destinations, aliases: { live: '1' } });
    const { requestId } = await fixture.host.invoke('works:live', JSON.stringify({ file, failures: 0 }), {
      type: 'Event',
    });
    await until(() => delivered.length === 1 && fixture.host.queuedEvents === 0);
    expect(delivered[0]).toEqual({
      arn: arnOf('next'),
      record: {
        version: '1.0',
        timestamp: expect.any(String),
        requestContext: {
          requestId,
          functionArn: `${arnOf('works')}:live`,
          condition: 'Success',
          approximateInvokeCount: 1,
        },
        requestPayload: { file, failures: 0 },
        responseContext: { statusCode: 200, executedVersion: '1' },
        responsePayload: { attempts: 1 },
      },
    });
    expect(fixture.reports).toMatchObject([{ requestId, asynchronous: true, error: undefined }]);
    expect(stored()).toEqual([]);
  });

  it('is retried with the same request id until it succeeds', async () => {
    await started();
    const file = join(fixture.root, 'attempts');
    await fixture.define('recovers', failing, { eventInvoke: destinations });
    const { requestId } = await fixture.host.invoke('recovers', JSON.stringify({ file, failures: 2 }), {
      type: 'Event',
    });
    await until(() => delivered.length === 1);
    expect(delivered[0]?.record).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 3 },
      responsePayload: { attempts: 3 },
    });
    expect(fixture.reports.map((report) => report.requestId)).toEqual([requestId, requestId, requestId]);
  });

  it('is given up after its retries, and the destination gets the last error', async () => {
    await started();
    const file = join(fixture.root, 'attempts');
    await fixture.define('fails', failing, { eventInvoke: { ...destinations, maxRetryAttempts: 1 } });
    await fixture.host.invoke('fails', JSON.stringify({ file, failures: 9 }), { type: 'Event' });
    await until(() => delivered.length === 1 && fixture.host.queuedEvents === 0);
    expect(delivered[0]).toMatchObject({
      arn: destinations.onFailureArn,
      record: {
        requestContext: {
          functionArn: `${arnOf('fails')}:$LATEST`,
          condition: 'RetriesExhausted',
          approximateInvokeCount: 2,
        },
        responseContext: { statusCode: 200, functionError: 'Unhandled' },
        responsePayload: { errorType: 'Error', errorMessage: 'attempt 2' },
      },
    });
    expect(fixture.lines.filter(({ stream }) => stream === 'host').map(({ text }) => text)).toEqual([
      expect.stringContaining('RetriesExhausted'),
    ]);
    expect(stored()).toEqual([]);
  });

  it('is given up when it is too old', async () => {
    await started({ events: { retryDelaysMs: [5000] } });
    const file = join(fixture.root, 'attempts');
    await fixture.define('old', failing, { eventInvoke: { ...destinations, maxAgeSeconds: 1 } });
    await fixture.host.invoke('old', JSON.stringify({ file, failures: 9 }), { type: 'Event' });
    await until(() => delivered.length === 1);
    expect(delivered[0]?.record).toMatchObject({ requestContext: { condition: 'EventAgeExceeded' } });
  });

  it('waits without using up its retries while the function is throttled', async () => {
    await started();
    const file = join(fixture.root, 'attempts');
    const definition = await fixture.define('throttled', failing, {
      eventInvoke: { ...destinations, maxRetryAttempts: 0 },
      reservedConcurrency: 0,
    });
    await fixture.host.invoke('throttled', JSON.stringify({ file, failures: 0 }), { type: 'Event' });
    await until(() => fixture.reports.filter(({ throttled }) => throttled).length >= 2);
    expect(delivered).toEqual([]);
    await fixture.host.ensureFunction({ ...definition, reservedConcurrency: 1 });
    await until(() => delivered.length === 1);
    expect(delivered[0]?.record).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 1 },
    });
  });

  it('is refused when the queue is full', async () => {
    await started({ events: { maxEvents: 2, maxRunningPerFunction: 1 } });
    await fixture.define(
      'slow',
      'export const handler = () => new Promise((done) => setTimeout(done, 300, 1));',
    );
    const accepted = await Promise.allSettled(
      [1, 2, 3, 4].map(() => fixture.host.invoke('slow', '{}', { type: 'Event' })),
    );
    expect(accepted.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    await until(() => fixture.host.queuedEvents === 0);
    expect(fixture.reports).toHaveLength(2);
  });

  it('is said to be undeliverable when its destination cannot be reached', async () => {
    await started({ deliver: () => Promise.reject(new Error('no such topic')) });
    await fixture.define('unheard', 'export const handler = () => 1;', { eventInvoke: destinations });
    await fixture.host.invoke('unheard', '{}', { type: 'Event' });
    await until(() => fixture.host.queuedEvents === 0);
    expect(fixture.textOf('unheard').join()).toContain('no such topic');
  });

  it('survives a stop in its middle and runs again after the next start', async () => {
    await started();
    const file = join(fixture.root, 'attempts');
    const definition = await fixture.define(
      'interrupted',
      `import { appendFileSync, existsSync } from 'node:fs';
       export const handler = async (event) => {
         if (existsSync(event.file)) return 'again';
         appendFileSync(event.file, 'x');
         await new Promise(() => setInterval(() => {}, 1000));
       };`,
      { eventInvoke: { ...destinations, maxRetryAttempts: 0 } },
    );
    await fixture.host.invoke('interrupted', JSON.stringify({ file }), { type: 'Event' });
    await until(() => fixture.host.environments().some(({ state }) => state === 'busy'));
    await until(async () => (await import('node:fs')).existsSync(file));
    await fixture.host.stop();
    expect(stored()).toHaveLength(1);
    expect(delivered).toEqual([]);

    const next = fixture.another(quick);
    await next.start();
    expect(next.queuedEvents).toBe(1);
    await next.ensureFunction(definition);
    await until(() => delivered.length === 1);
    expect(delivered[0]?.record).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 1 },
      responsePayload: 'again',
    });
  });
});
