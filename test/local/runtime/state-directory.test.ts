import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processStartTime } from '../../../local/process-identity.ts';
import { StateDirectory } from '../../../local/runtime/state-directory.ts';

describe('the state directory', () => {
  let parent: string;
  let path: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'state-'));
    path = join(parent, '.mainstay');
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('serves one runtime at a time, and says which process has it', async () => {
    const first = new StateDirectory(path);
    await first.start();
    await expect(new StateDirectory(path).start()).rejects.toThrow(`process ${process.pid}`);
    await first.stop();
    const second = new StateDirectory(path);
    await second.start();
    await second.stop();
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '1' })],
    ['another process that has got the same id', JSON.stringify({ pid: process.pid, startedAt: 'earlier' })],
    ['a write that was cut off', '{"pid":'],
  ])('takes over a lock left by %s', async (_, lock) => {
    const directory = new StateDirectory(path);
    await directory.start();
    await writeFile(join(path, 'lock'), lock);
    const next = new StateDirectory(path);
    await next.start();
    expect(JSON.parse(await readFile(join(path, 'lock'), 'utf8'))).toEqual({
      pid: process.pid,
      startedAt: await processStartTime(process.pid),
    });
  });

  it('writes files that only their owner can read', async () => {
    const directory = new StateDirectory(path);
    await directory.start();
    await directory.writePrivate('local.json', '{}');
    expect((await stat(join(path, 'local.json'))).mode & 0o777).toBe(0o600);
    await directory.writePrivate('local.json', '{"a":1}');
    expect(await readFile(join(path, 'local.json'), 'utf8')).toBe('{"a":1}');
  });
});
