import type { RouteScope, Scope } from '../shared/contract.ts';

/**
 * Whether a key that holds `held` may use what needs `needed`: `admin` includes every scope, `<capability>:write`
 * includes `<capability>:read`, and every other scope includes only itself. `any` is satisfied by every key.
 */
export function satisfies(held: readonly Scope[], needed: RouteScope): boolean {
  if (needed === 'open' || needed === 'any') return true;
  return held.some((scope) => scope === 'admin' || scope === needed || readOf(scope) === needed);
}

/** The read scope that a write scope includes. */
function readOf(scope: Scope): string | undefined {
  return scope.endsWith(':write') ? scope.replace(/write$/, 'read') : undefined;
}
