import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { warmingIdSchema } from '../ids.ts';
import { encodingSchema, imageFormatSchema, prioritySchema } from './model.ts';

const count = z.number().int().min(0);
const when = z.iso.datetime().optional();

/** What a warming is of; an item beside its record. */
export const wantedSchema = z.object({
  paths: z.array(z.object({ path: z.string(), priority: prioritySchema })),
  encodings: z.array(encodingSchema).optional(),
  imageFormats: z.array(imageFormatSchema),
});
export type Wanted = z.output<typeof wantedSchema>;

export const locationSchema = z.object({ name: z.string(), address: z.string() });

/** A warming as its function knows it. */
export const warmingRecordSchema = z.object({
  id: warmingIdSchema,
  version: count,
  state: z.enum(['queued', 'running', 'completed', 'failed', 'canceled']),
  trigger: z.enum(['api', 'purge', 'schedule']),
  scheduleId: z.string().optional(),
  requestedBy: z.string().optional(),
  traceparent: traceparentSchema,
  domain: z.string(),
  priority: prioritySchema,
  concurrency: z.number().int().min(1).max(20),
  locations: z.array(locationSchema),
  requests: count,
  done: count,
  cold: count,
  warm: count,
  failed: count,
  bytes: count,
  createdAt: z.iso.datetime(),
  startedAt: when,
  finishedAt: when,
  cancelRequested: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Whether its end is still to be told to the bus and to the audit trail. */
  untold: z.boolean().optional(),
});
export type WarmingRecord = z.output<typeof warmingRecordSchema>;

export const hasEnded = ({ state }: Pick<WarmingRecord, 'state'>): boolean =>
  state !== 'queued' && state !== 'running';
