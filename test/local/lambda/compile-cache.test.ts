import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { LambdaFixture, until } from './fixture.ts';

let fixture: LambdaFixture;
afterEach(() => fixture.end());

describe('compiled code', () => {
  it('is kept for the next environment, and removed when nothing has written it for a week', async () => {
    fixture = new LambdaFixture();
    const directory = join(fixture.directory, 'compile-cache');
    await mkdir(directory, { recursive: true });
    for (const [name, days] of [
      ['stale', 8],
      ['fresh', 6],
    ] as const) {
      await writeFile(join(directory, name), '');
      const written = new Date(Date.now() - days * 86_400_000);
      await utimes(join(directory, name), written, written);
    }
    await fixture.host.start();
    expect(await readdir(directory)).toEqual(['fresh']);

    await fixture.define('compiled', 'export const handler = () => "done";');
    expect(await fixture.call('compiled')).toBe('done');
    // It is written after the environment has said that it is ready.
    await until(async () => (await readdir(directory, { recursive: true })).length > 1);
  });
});
