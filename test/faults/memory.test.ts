import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Backups } from '../e2e/support/backups.ts';
import { peakMemoryFor } from '../e2e/support/peak-memory.ts';

jest.setTimeout(600_000);

const mebibyte = 1024 * 1024;

describe('the function that copies', () => {
  let backups: Backups;

  beforeAll(async () => {
    backups = await Backups.open();
  });
  afterAll(() => backups?.tidy());

  it('needs no more memory for 1 GB than for 50 MB', async () => {
    const small = await peakMemoryFor(backups, 'shard-b', 50);
    const large = await peakMemoryFor(backups, 'shard-b', 1_000);
    console.log(
      `peak RSS: ${Math.round(small / mebibyte)} MiB for 50 MB, ${Math.round(large / mebibyte)} MiB for 1 GB`,
    );
    expect(large - small).toBeLessThan(64 * mebibyte);
  });
});
