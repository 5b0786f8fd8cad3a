import { describe, expect, it } from '@jest/globals';
import { evaluatePath, parsePath } from '../../../local/step-functions/json-path.ts';

const store = {
  book: [
    { title: 'A', price: 8, tags: ['x', 'y'] },
    { title: 'B', price: 12, tags: [] },
    { title: 'C', price: 9, author: { title: 'Dr' } },
  ],
  'weird.key': { "it's": 1 },
  none: null,
};
const find = (path: string) => evaluatePath(parsePath(path), store);

describe('JSONPath', () => {
  it.each([
    ['$', store],
    ['$.book[1].title', 'B'],
    ['$.book[-1].title', 'C'],
    ["$['weird.key']['it\\'s']", 1],
    ['$["book"][0]["price"]', 8],
    ['$.none', null],
    ['$.book[*].price', [8, 12, 9]],
    ['$.book[0,2].title', ['A', 'C']],
    ['$.book[0:2].title', ['A', 'B']],
    ['$.book[-2:].title', ['B', 'C']],
    ['$.book[::2].title', ['A', 'C']],
    ['$.book[*].tags[*]', ['x', 'y']],
    ['$..title', ['A', 'B', 'C', 'Dr']],
    ["$.book[0]['title','price']", ['A', 8]],
  ])('%s finds its value', (path, expected) => {
    expect(find(path)).toEqual(expected);
  });

  it('finds nothing where a definite path, or the definite beginning of another, leads nowhere', () => {
    expect(find('$.missing')).toBeUndefined();
    expect(find('$.book.title')).toBeUndefined();
    expect(find('$.missing[*].title')).toBeUndefined();
    expect(find('$.book[*].missing')).toEqual([]);
  });

  it('does not find what objects inherit', () => {
    expect(find('$.constructor')).toBeUndefined();
    expect(find("$['__proto__']")).toBeUndefined();
  });

  it.each(['book', '$.book[?(@.price > 9)]', '$.book.length()', '$.', '$.book[', '$.a b', '$[::0]'])(
    'refuses %s',
    (path) => {
      expect(() => parsePath(path)).toThrow(path.startsWith('$') ? 'the JSONPath' : 'does not start with $');
    },
  );

  it('tells reference paths from others', () => {
    expect(parsePath('$.a[0].b').reference).toBe(true);
    expect(parsePath('$.a[-1]').reference).toBe(false);
    expect(parsePath('$.a[*]').reference).toBe(false);
  });
});
