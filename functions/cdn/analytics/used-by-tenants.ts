import type { LogSummary } from './accumulator.ts';
import { noTenant } from './tenants.ts';

/** Requests, and bytes that were sent, of the tenants in a log. */
export function usedByTenants({
  intervals,
}: Pick<LogSummary, 'intervals'>): Map<string, { requests: number; bytes: number }> {
  const used = new Map<string, { requests: number; bytes: number }>();
  for (const byTenant of intervals.values()) {
    for (const [tenant, { requests, bytes }] of byTenant) {
      if (tenant === noTenant) continue;
      const before = used.get(tenant);
      used.set(tenant, {
        requests: requests + (before?.requests ?? 0),
        bytes: bytes + (before?.bytes ?? 0),
      });
    }
  }
  return used;
}
