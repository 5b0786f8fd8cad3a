import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import * as z from 'zod';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { midnight, table } from './samples.ts';
import type { Job } from './worker.ts';

const script = join(import.meta.dirname, 'worker.ts');
const requests = 2_000;
let dynamo: TestDynamo;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());

async function countIn(job: Job): Promise<number> {
  const child = fork(script, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  try {
    child.send(job);
    const answer = once(child, 'message').then(([message]) => z.object({ count: z.int() }).parse(message));
    const ended = exited.then(() => Promise.reject(new Error('It ended without an answer')));
    return (await Promise.race([answer, ended])).count;
  } finally {
    child.kill();
    await exited;
  }
}

it('three processes of the operating system let in exactly the quota of a key together', async () => {
  const job = {
    url: dynamo.url,
    keyId: 'shared',
    settings: { algorithm: 'token-bucket', tiers: { free: requests } },
    now: midnight,
  };
  const counts = await Promise.all([countIn(job), countIn(job), countIn(job)]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(requests);
}, 30_000);
