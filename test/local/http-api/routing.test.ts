import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RouteTable, routePath } from '../../../local/http-api/routing.ts';

const routes = [
  'GET /pets/dog/1',
  'GET /pets/dog/{id}',
  'GET /pets/{proxy+}',
  'ANY /{proxy+}',
  'ANY /pets/dog/{id}',
  '$default',
];

describe('the routes of an HTTP API', () => {
  const table = new RouteTable(routes);

  it.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['POST', '/pets/dog/2', 'ANY /pets/dog/{id}', { id: '2' }],
    ['GET', '/pets/cat/1', 'GET /pets/{proxy+}', { proxy: 'cat/1' }],
    ['POST', '/test/5', 'ANY /{proxy+}', { proxy: 'test/5' }],
    ['GET', '/', '$default', undefined],
    ['HEAD', '/pets/dog/1', 'ANY /pets/dog/{id}', { id: '1' }],
  ])('lead %s %s to %s', (method, path, routeKey, pathParameters) => {
    expect(table.match(method, path)).toEqual({ routeKey, pathParameters });
  });

  it.each([
    ['an encoded slash as part of a value', '/a/x%2Fy', { b: 'x/y' }],
    ['an encoded name of the parent directory as a value', '/a/%2e%2e', { b: '..' }],
    ['two dots as a value', '/a/..', { b: '..' }],
    ['other scripts', '/a/%C3%A9', { b: 'é' }],
    ['a plus sign as it is', '/a/x+y', { b: 'x+y' }],
  ])('take %s', (_, path, pathParameters) => {
    expect(new RouteTable(['GET /a/{b}']).match('GET', path)).toEqual({
      routeKey: 'GET /a/{b}',
      pathParameters,
    });
  });

  it.each(['/a', '/a/', '/a//', '/a//b', '/a/b/', '//a/b', '/A/b', '/a/b/c', '/%61/b', '/x/../a/b', ''])(
    'do not take %j for GET /a/{b}',
    (path) => {
      expect(new RouteTable(['GET /a/{b}']).match('GET', path)).toBeUndefined();
    },
  );

  it('tell a path with a slash at its end from one without', () => {
    const both = new RouteTable(['GET /a', 'GET /a/']);
    expect(both.match('GET', '/a')?.routeKey).toBe('GET /a');
    expect(both.match('GET', '/a/')?.routeKey).toBe('GET /a/');
  });

  it('choose the same route in whatever order they were declared', () => {
    const paths = ['/pets/dog/1', '/pets/dog/2', '/pets/x/y/z', '/q', '/'];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(routes, { minLength: routes.length }),
        fc.constantFrom(...paths),
        fc.constantFrom('GET', 'PUT'),
        (order, path, method) => {
          expect(new RouteTable(order).match(method, path)).toEqual(table.match(method, path));
        },
      ),
    );
  });

  it('give back every value as it was before it was encoded', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(segment, segment, (a, b) => {
        const path = `/x/${encodeURIComponent(a)}/y/${encodeURIComponent(b)}`;
        expect(new RouteTable(['GET /x/{a}/y/{b}']).match('GET', path)?.pathParameters).toEqual({ a, b });
      }),
    );
  });

  it.each(['GET', 'GET pets', '/pets', 'GET /a/{b', 'GET /a/{b+}/c', 'GET /a/x{b}'])(
    'refuse %j as a route key',
    (routeKey) => {
      expect(() => new RouteTable([routeKey])).toThrow(routeKey);
    },
  );

  it('know the path of a route', () => {
    expect([routePath('GET /a/{b}'), routePath('$default')]).toEqual(['/a/{b}', undefined]);
  });
});
