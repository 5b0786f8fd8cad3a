import type { CapabilityContract } from '../../functions/shared/contract.ts';

/** The path patterns that cover every route of the contracts: `/api/*`, `/docs`, and so on. */
export function apiPatterns(contracts: readonly CapabilityContract[]): string[] {
  const patterns = contracts
    .flatMap(({ routes }) => Object.values(routes))
    .map(({ path }) => {
      const [first = '', ...rest] = path.slice(1).split('/');
      return rest.length > 0 ? `/${first}/*` : `/${first}`;
    });
  return [...new Set(patterns)].sort();
}
