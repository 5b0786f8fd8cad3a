import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { exampleAssets, loadExampleAssets } from '../../../local/example/example-assets.ts';

const hashed = (assets: ReturnType<typeof exampleAssets>) =>
  assets.map(({ body, ...rest }) => ({
    ...rest,
    body: createHash('sha256').update(body).digest('hex'),
  }));

describe('the files of the example platform', () => {
  it('are the same ones each time, small ones and one that is not', () => {
    const assets = exampleAssets();
    // By their hashes: comparing a megabyte byte by byte takes a tenth of a minute.
    expect(hashed(exampleAssets())).toEqual(hashed(assets));
    expect(assets.filter(({ body }) => body.length >= 1024 * 1024)).toHaveLength(1);
    expect(new Set(assets.map(({ key }) => key)).size).toBe(assets.length);
  });

  it('are put into an empty bucket, and into no other', async () => {
    const put: unknown[] = [];
    const call = async (operation: string, input: Record<string, unknown>) => {
      if (operation === 'PutObject') put.push(input.Key);
      return put.length === 0 ? {} : { Contents: put };
    };
    expect(await loadExampleAssets(call, 'assets')).toBe('loaded');
    expect(await loadExampleAssets(call, 'assets')).toBe('present');
    expect(put).toHaveLength(exampleAssets().length);
  });
});
