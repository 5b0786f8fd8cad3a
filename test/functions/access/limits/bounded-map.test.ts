import { expect, it } from '@jest/globals';
import { BoundedMap } from '../../../../functions/access/limits/bounded-map.ts';

it('a bounded map forgets what was used longest ago', () => {
  const map = new BoundedMap<string, number>(2);
  let made = 0;
  const use = (key: string) => map.getOrMake(key, () => made++);
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map(use)).toEqual([0, 1, 0, 2, 0, 3]);
  expect(map.size).toBe(2);
});
