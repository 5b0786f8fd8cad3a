/** The route that catches whatever no other route does. */
export const defaultRouteKey = '$default';

type Segment =
  | { kind: 'text'; text: string }
  | { kind: 'variable'; name: string }
  /** Everything to the end of the path. */
  | { kind: 'greedy'; name: string };

interface Route {
  routeKey: string;
  /** `ANY` for every method. */
  method: string;
  segments: readonly Segment[];
}

/** A route that takes a request. */
export interface RouteMatch {
  routeKey: string;
  /** Decoded values of the path's variables; undefined when it has none. */
  pathParameters: Record<string, string> | undefined;
}

/**
 * The routes of an API. Paths are compared as they were sent, segment by segment: an encoded slash
 * is no slash, `..` is a name like any other, and an empty segment matches nothing but itself.
 * Values are decoded only after a route has been chosen.
 */
export class RouteTable {
  readonly #routes: readonly Route[];
  readonly #hasDefault: boolean;

  /** @throws for a route key that API Gateway would not take, naming it. */
  constructor(routeKeys: readonly string[]) {
    this.#hasDefault = routeKeys.includes(defaultRouteKey);
    this.#routes = routeKeys
      .filter((key) => key !== defaultRouteKey)
      .map(parseRoute)
      .sort(bySpecificity);
  }

  /**
   * Finds the route for a request: the most specific path first, then the very method before `ANY`,
   * then `$default`.
   *
   * @param rawPath as sent, without the stage and the query.
   */
  match(method: string, rawPath: string): RouteMatch | undefined {
    const sent = rawPath.split('/');
    for (const route of this.#routes) {
      if (route.method !== 'ANY' && route.method !== method) continue;
      const values = matchSegments(route.segments, sent);
      if (values === undefined) continue;
      return {
        routeKey: route.routeKey,
        pathParameters: values.length === 0 ? undefined : decodeAll(values),
      };
    }
    return this.#hasDefault ? { routeKey: defaultRouteKey, pathParameters: undefined } : undefined;
  }
}

/** The path of a route key, with its variables; undefined for `$default`. */
export function routePath(routeKey: string): string | undefined {
  return routeKey === defaultRouteKey ? undefined : routeKey.slice(routeKey.indexOf(' ') + 1);
}

function parseRoute(routeKey: string): Route {
  const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(routeKey) ?? [];
  if (method === undefined || path === undefined) throw new Error(`${routeKey} is not a route key.`);
  const segments = path.split('/').map((text, index, all): Segment => {
    const [, name, plus] = /^\{([A-Za-z0-9._-]+)(\+?)\}$/.exec(text) ?? [];
    if (name === undefined) {
      if (/[{}]/.test(text)) throw new Error(`${routeKey}: ${text} is neither a name nor a variable.`);
      return { kind: 'text', text };
    }
    if (plus === '') return { kind: 'variable', name };
    if (index !== all.length - 1) throw new Error(`${routeKey}: a greedy variable must come last.`);
    return { kind: 'greedy', name };
  });
  return { routeKey, method, segments };
}

const rank = { text: 0, variable: 1, greedy: 2 } as const;

function bySpecificity(a: Route, b: Route): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let index = 0; index < length; index += 1) {
    const [left, right] = [a.segments[index], b.segments[index]];
    const difference = (left ? rank[left.kind] : 3) - (right ? rank[right.kind] : 3);
    if (difference !== 0) return difference;
  }
  return Number(a.method === 'ANY') - Number(b.method === 'ANY');
}

function matchSegments(
  segments: readonly Segment[],
  sent: readonly string[],
): (readonly [string, string])[] | undefined {
  const values: (readonly [string, string])[] = [];
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'greedy') {
      const rest = sent.slice(index).join('/');
      if (rest === '') return undefined;
      values.push([segment.name, rest]);
      return values;
    }
    const text = sent[index];
    if (text === undefined) return undefined;
    if (segment.kind === 'text' ? text !== segment.text : text === '') return undefined;
    if (segment.kind === 'variable') values.push([segment.name, text]);
  }
  return sent.length === segments.length ? values : undefined;
}

function decodeAll(values: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(values.map(([name, value]) => [name, decodeURIComponent(value)]));
}
