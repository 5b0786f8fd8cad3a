import type { CapabilityContract } from '../shared/contract.ts';
import type { HttpRequest } from '../shared/http-handler.ts';
import type { HttpAnswer } from '../shared/http-response.ts';
import { Problem } from '../shared/problem.ts';

/** Finds the methods that a path of the API has, from the contracts. */
export function methodFinder(contracts: readonly CapabilityContract[]): (path: string) => readonly string[] {
  const routes = contracts
    .flatMap(({ routes }) => Object.values(routes))
    .map(({ method, path }) => ({ method, segments: path.split('/') }));
  return (path) => {
    const segments = path.split('/');
    const methods = routes.filter((route) => matches(route.segments, segments)).map(({ method }) => method);
    return [...new Set(methods)].sort();
  };
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.startsWith('{') ? segments[index] !== '' : part === segments[index],
  );
}

/**
 * Answers what no route matches: the way to the documentation for `/`, the allowed methods for OPTIONS, 405 where the path
 * exists with another method, and 404.
 */
export function answerUnmatched(
  request: HttpRequest,
  methodsOf: (path: string) => readonly string[],
): HttpAnswer {
  const { method, path } = request;
  if (path === '/' && (method === 'GET' || method === 'HEAD')) {
    return { status: 302, headers: { location: '/docs' } };
  }
  const methods = methodsOf(path);
  if (methods.length === 0) throw new Problem('not-found', 'There is nothing at this path.');
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (method === 'OPTIONS') return { status: 204, headers: { allow } };
  throw new Problem('method-not-allowed', `This path knows ${allow}.`, { headers: { allow } });
}
