import * as z from 'zod';
import { addressSchema } from './model.ts';
import { actionSchema } from './policy.ts';
import { failoverKindSchema, triggerSchema } from './record.ts';

const instant = z.iso.datetime();
const bytes = z.number().int().min(0);

export const stateSchema = z
  .enum(['healthy', 'suspect', 'failing_over', 'failed_over', 'held', 'paused'])
  .meta({
    title: 'State of failover',
    description:
      '`healthy`: the writer serves. `suspect`: it fails probes, or an alarm says so. `failing_over`: it is being replaced. `failed_over`: it was, and nothing more happens by itself until `cooldownUntil`. `held`: it does not serve, and nothing will be done without a person; `reason` says why. `paused`: nothing is done by itself.',
  });

const readerSchema = z
  .strictObject({
    instance: z.string(),
    reachable: z.boolean(),
    streaming: z.boolean(),
    lagBytes: bytes.nullable().meta({ description: 'Log that it has not received; null: not known.' }),
    lagSeconds: z.number().min(0).nullable(),
  })
  .meta({ title: 'Reader' });

const timelineSchema = z
  .strictObject({
    detectedAt: instant.meta({ description: 'The first probe that failed, or the decision where none had.' }),
    decidedAt: instant.nullable(),
    promotedAt: instant.nullable(),
    firstWriteAt: instant
      .nullable()
      .meta({ description: 'The first write that the new writer took and gave back.' }),
    concludedAt: instant,
  })
  .meta({ title: 'Timeline of a failover' });

const durationsSchema = z
  .strictObject({
    detectionMs: bytes.nullable().meta({ description: 'From the first failed probe to the decision.' }),
    promotionMs: bytes.nullable().meta({ description: 'From the decision to the promotion.' }),
    firstWriteMs: bytes.nullable().meta({ description: 'From the promotion to the first write.' }),
  })
  .meta({ title: 'What a failover spent its time with' });

export const lastFailoverSchema = z
  .strictObject({
    kind: failoverKindSchema,
    trigger: triggerSchema,
    result: z.enum(['completed', 'failed']),
    reason: z.string(),
    error: z.string().nullable(),
    fromEpoch: z.number().int(),
    toEpoch: z.number().int(),
    from: z.string().nullable(),
    target: z.string().nullable(),
    timeline: timelineSchema,
    durations: durationsSchema,
    rtoMs: bytes.nullable().meta({ description: 'From the first failed probe to the first write.' }),
    rpoBytes: bytes.nullable().meta({
      description: 'Log that the old writer was last known to have and the new one has not; null: not known.',
    }),
  })
  .meta({ title: 'Failover that has ended' });

const operationSchema = z
  .strictObject({
    kind: failoverKindSchema,
    trigger: triggerSchema,
    reason: z.string(),
    target: z.string(),
    toEpoch: z.number().int(),
    decidedAt: instant,
    lagBytes: bytes.nullable(),
  })
  .meta({ title: 'Failover that is not finished' });

/** How failover of one shard stands. */
export const shardStatusSchema = z
  .strictObject({
    shard: z.string(),
    state: stateSchema,
    since: instant.nullable(),
    reason: z.string().nullable(),
    action: actionSchema,
    automatic: z
      .boolean()
      .meta({ description: 'Whether the deployment lets it happen without being asked.' }),
    paused: z.strictObject({ since: instant, by: z.string(), reason: z.string() }).nullable(),
    cooldownUntil: instant.nullable(),
    epoch: z.number().int().meta({ description: 'Rises with each change of the writer.' }),
    writer: addressSchema.extend({ instance: z.string().nullable() }),
    consecutiveFailures: z.number().int().min(0),
    lastProbe: z
      .strictObject({
        at: instant,
        ok: z.boolean(),
        latencyMs: z.number().min(0).nullable(),
        reason: z.string().nullable(),
        cutOff: z
          .boolean()
          .meta({ description: 'The probe heard nothing of any shard: it says nothing about this one.' }),
      })
      .nullable()
      .meta({ description: 'null: nobody has looked yet.' }),
    readers: z.array(readerSchema),
    otherWriters: z
      .array(z.string())
      .meta({ description: 'Instances that take writes beside the writer; none, if all is well.' }),
    fenced: z.array(z.string()).meta({ description: 'Old writers that are kept from taking writes.' }),
    operation: operationSchema.nullable(),
    lastFailover: lastFailoverSchema.nullable(),
  })
  .meta({ title: 'Failover of a shard' });
export type ShardStatus = z.output<typeof shardStatusSchema>;

export const statusSchema = z
  .strictObject({ shards: z.array(shardStatusSchema) })
  .meta({ title: 'Failover of the shards' });
