import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { purgeIdSchema, warmingIdSchema } from '../ids.ts';
import { providerKinds } from '../providers/provider.ts';

const count = z.number().int().min(0);
const when = z.iso.datetime().optional();

export const itemsSchema = z.object({
  paths: z.array(z.string()),
  prefixes: z.array(z.string()),
  tags: z.array(z.string()),
  everything: z.boolean(),
});

const targetSchema = z.object({
  kind: z.enum(['distribution', 'distribution-tenant', 'zone', 'service']),
  id: z.string(),
  domain: z.string(),
  shared: z.boolean(),
});

export const checkSchema = z.object({
  path: z.string(),
  /** Where the edge was asked: the same address is asked again. */
  address: z.string().optional(),
  location: z.string().nullable(),
  before: z.enum(['hit', 'miss', 'unknown']).nullable(),
  after: z.enum(['hit', 'miss', 'unknown']).nullable(),
  status: count.nullable(),
  outcome: z.enum(['confirmed', 'still-cached', 'inconclusive']).nullable(),
});
export type Check = z.output<typeof checkSchema>;

/** A purge as its function knows it; what is to be purged is an item of its own. */
export const purgeRecordSchema = z.object({
  id: purgeIdSchema,
  version: count,
  state: z.enum(['queued', 'running', 'completed', 'failed', 'canceled']),
  stage: z.enum(['collecting', 'checking', 'submitting', 'following', 'verifying', 'rewarming', 'ended']),
  trigger: z.enum(['api', 'content']),
  requestedBy: z.string().optional(),
  traceparent: traceparentSchema,
  provider: z.enum(providerKinds),
  target: targetSchema,
  counts: z.object({ paths: count, prefixes: count, tags: count, everything: z.boolean() }),
  soft: z.boolean(),
  /** Of `content`: the window whose changes it collects. */
  window: count.optional(),
  calls: count,
  submitted: count,
  /** Calls that have not reached every edge. */
  open: z.array(z.object({ call: count, id: z.string() })),
  checks: z.array(checkSchema).optional(),
  rewarm: z.boolean(),
  warmingId: warmingIdSchema.optional(),
  createdAt: z.iso.datetime(),
  submittedAt: when,
  purgedAt: when,
  verifiedAt: when,
  finishedAt: when,
  /** Since when the provider does not answer, or the proof fails. */
  troubleSince: when,
  cancelRequested: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  /** Whether its end is still to be told to the bus and to the audit trail. */
  untold: z.boolean().optional(),
});
export type PurgeRecord = z.output<typeof purgeRecordSchema>;

export const hasEnded = ({ stage }: Pick<PurgeRecord, 'stage'>): boolean => stage === 'ended';
