import * as z from 'zod';

/** Variables that several functions of failover are given. */

export const arn = z.string().startsWith('arn:');

export const SHARDS_TABLE = z
  .string()
  .min(1)
  .describe('Shards, their instances, what probes found and how their failovers stand.');
export const PROBE_INTERVAL_SECONDS = z.coerce
  .number()
  .int()
  .min(10)
  .max(60)
  .refine((seconds) => 60 % seconds === 0, 'does not divide a minute')
  .describe('Seconds from one probe of a shard to the next; divides a minute.');
export const PROBE_TIMEOUT_MS = z.coerce
  .number()
  .int()
  .min(500)
  .max(20_000)
  .describe('How long one instance may take to answer a probe, in milliseconds.');
export const EVENT_BUS_NAME = z.string().min(1).describe('The platform’s event bus.');
export const AUDIT_TABLE = z.string().min(1).describe('The audit trail.');
export const AUDIT_DAYS = z.coerce.number().int().min(1).describe('How long its entries are kept, in days.');
export const WRITER_ALARM_PREFIX = arn.describe(
  'What the ARNs of the alarms on writers begin with; the shard follows.',
);
