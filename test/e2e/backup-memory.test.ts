import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Backups } from './support/backups.ts';
import { peakMemoryFor } from './support/peak-memory.ts';

jest.setTimeout(180_000);

const mebibyte = 1024 * 1024;

describe('the function that copies', () => {
  let backups: Backups;

  beforeAll(async () => {
    backups = await Backups.open();
  });
  afterAll(() => backups?.tidy());

  it('needs no more memory for 160 MB than for 50 MB', async () => {
    const small = await peakMemoryFor(backups, 'shard-b', 50);
    const large = await peakMemoryFor(backups, 'shard-b', 160);
    expect(large - small).toBeLessThan(48 * mebibyte);
    expect(large).toBeLessThan(400 * mebibyte);
  });
});
