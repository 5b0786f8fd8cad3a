import * as z from 'zod';

/** Position in the write-ahead log, as PostgreSQL writes it: two hexadecimal numbers, for example `0/16B3748`. */
export const lsnSchema = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/);

export const addressSchema = z.object({ host: z.string(), port: z.number().int() });
export type Address = z.output<typeof addressSchema>;

/** One database instance of a shard, as the control plane or the configuration names it. */
export const instanceSchema = addressSchema.extend({
  id: z.string(),
  role: z.enum(['writer', 'reader']),
  /** As RDS says it, for example `available`; `unknown` where nobody says. */
  status: z.string(),
});
export type DatabaseInstance = z.output<typeof instanceSchema>;

/** The instances of a shard as they were last discovered. */
export const instancesSchema = z.object({
  shard: z.string(),
  at: z.iso.datetime(),
  engine: z.enum(['cluster', 'self-managed']),
  instances: z.array(instanceSchema).max(16),
});
export type ShardInstances = z.output<typeof instancesSchema>;

export const readerObservationSchema = z.object({
  instance: z.string(),
  reachable: z.boolean(),
  streaming: z.boolean(),
  receivedLsn: lsnSchema.optional(),
  replayedLsn: lsnSchema.optional(),
  /** What the writer was known to have written and this one has not received, in bytes. */
  lagBytes: z.number().int().min(0).optional(),
  /** For how long the writer's latest write has been missing here. */
  lagSeconds: z.number().min(0).optional(),
  /** When it was last seen to stream: behind a dead writer nobody does any more. */
  streamedAt: z.iso.datetime().optional(),
});
export type ReaderObservation = z.output<typeof readerObservationSchema>;

/** Changes between answering and not answering that are remembered. */
export const keptChanges = 100;

/** What the last probe of a shard found. */
export const probeRecordSchema = z.object({
  shard: z.string(),
  at: z.iso.datetime(),
  /** The epoch that the shard was in. */
  epoch: z.number().int().optional(),
  ok: z.boolean(),
  reason: z.string().max(300).optional(),
  latencyMs: z.number().min(0).optional(),
  consecutiveFailures: z.number().int().min(0),
  firstFailureAt: z.iso.datetime().optional(),
  /** Instance that answered as the writer. */
  writerInstance: z.string().optional(),
  /** The newest position that the writer was known to have written. */
  writerLsn: lsnSchema.optional(),
  /** Instances out of recovery beside the writer that take writes: there must be none. */
  otherWriters: z.array(z.string()).max(16).default([]),
  /** Those beside the writer whose sessions begin read-only: old writers that were fenced. */
  fenced: z.array(z.string()).max(16).default([]),
  readers: z.array(readerObservationSchema).max(16),
  /** Nothing at all answered: it is the probe that is cut off. */
  cutOff: z.boolean(),
  /** When the writer went from answering to not answering or back, the latest last. */
  changes: z.array(z.iso.datetime()).max(keptChanges).default([]),
});
export type ProbeRecord = z.output<typeof probeRecordSchema>;

/** Bytes of log between two positions; negative where `to` is the earlier one. */
export function bytesBetween(from: string, to: string): bigint {
  return positionOf(to) - positionOf(from);
}

function positionOf(lsn: string): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
