import * as z from 'zod';
import type { HealthSettings } from '../../functions/shards/health/settings.ts';
import { integer, type Profile } from './parts.ts';

const share = z.number().min(0.1).max(1).multipleOf(0.01);

/** How the shards' health is watched. */
export const healthSchema = (profile: Profile) =>
  z.strictObject({
    scheduled: z
      .boolean()
      .default(profile === 'production')
      .describe(
        'Whether the health of shards is looked at on schedule, recorded, and raises alarms. An instance that is looked at never pauses, whatever `capacity.minAcu` says.',
      ),
    intervalMinutes: z
      .literal([1, 2, 3, 5, 10, 15, 30, 60])
      .default(5)
      .describe('From one look to the next, in minutes.'),
    timeoutMs: integer(500, 10_000)
      .default(3_000)
      .describe('How long one instance may take to answer all that it is asked, in milliseconds.'),
    connectionsShare: share
      .default(0.8)
      .describe('From which share of taken connections on an instance is not well.'),
    longTransactionSeconds: integer(10, 86_400)
      .default(900)
      .describe('Transactions that are open for longer are reported, in seconds. Backups’ own are expected.'),
    blockedSeconds: integer(1, 3_600)
      .default(60)
      .describe('Statements that wait for a lock for longer are reported, in seconds.'),
    lagSeconds: integer(1, 3_600).default(30).describe('From which lag on a reader is not well, in seconds.'),
    wraparoundShare: share
      .default(0.5)
      .describe('From which share of used transaction ids on a shard is not well; AWS advises the same.'),
    slowQueries: integer(1, 100_000)
      .default(10)
      .describe(
        'More slow statements than this within one interval raise slow-queries; see `database.slowQueryMs`.',
      ),
  });
export type HealthConfig = z.output<ReturnType<typeof healthSchema>>;

/** The settings that functions get. */
export function healthSettingsOf({
  health: { scheduled: _, intervalMinutes: __, slowQueries: ___, ...settings },
  database: { slowQueryMs },
}: {
  health: HealthConfig;
  database: { slowQueryMs: number };
}): HealthSettings {
  return { ...settings, slowQueryMs };
}
