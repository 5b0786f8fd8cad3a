import * as z from 'zod';

/** From which figures on a shard is not well: the deployment's settings, as its functions get them. */
export const healthSettingsSchema = z.strictObject({
  /** How long one instance may take, connection and all, in milliseconds. */
  timeoutMs: z.number().int().min(500).max(10_000),
  /** Of the connections that roles without privileges may take, how many may be taken: 0 to 1. */
  connectionsShare: z.number().min(0).max(1),
  longTransactionSeconds: z.number().int().min(1),
  /** How long a statement may wait for a lock, in seconds. */
  blockedSeconds: z.number().int().min(1),
  /** How far a reader may be behind, in seconds. */
  lagSeconds: z.number().int().min(1),
  /** How much of the room for transaction ids may be used up: 0 to 1. */
  wraparoundShare: z.number().min(0).max(1),
  /** Statements slower than this count as slow, in milliseconds. */
  slowQueryMs: z.number().int().min(1),
});
export type HealthSettings = z.output<typeof healthSettingsSchema>;
