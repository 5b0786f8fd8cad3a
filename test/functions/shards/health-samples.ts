import type { HealthSettings } from '../../../functions/shards/health/settings.ts';

export const settings: HealthSettings = {
  timeoutMs: 3_000,
  connectionsShare: 0.8,
  longTransactionSeconds: 900,
  blockedSeconds: 60,
  lagSeconds: 30,
  wraparoundShare: 0.5,
  slowQueryMs: 1_000,
};
