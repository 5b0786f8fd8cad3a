import * as z from 'zod';
import type { RouteContract } from '../shared/contract.ts';
import { refusals } from './decision-model.ts';
import { failoverKindSchema } from './record.ts';
import { shardStatusSchema, statusSchema } from './status-model.ts';

const shard = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'is not the name of a shard')
  .max(31);
const reason = z
  .string()
  .trim()
  .min(1)
  .max(400)
  .meta({ description: 'Why; it is shown in status and kept in the audit trail.' });
const followed = { Location: 'Where to follow it.' };

export const lossSchema = z
  .union([z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), z.literal('any')])
  .meta({
    description:
      'Bytes of log that may be lost at most, in place of the configured limit; `any`: also where nobody knows how many. For a failover alone.',
  });

const failoverBody = z
  .strictObject({
    shard,
    kind: failoverKindSchema.meta({
      description:
        '`failover`: the writer does not answer. `switchover`: it does, and gives way without losing anything.',
    }),
    target: z.string().min(1).max(256).optional().meta({
      description:
        'Id of the instance to be the writer, or ARN of the cluster of a global database. Default: the one that lags least.',
    }),
    reason,
    dryRun: z.boolean().default(false).meta({ description: 'Only say what would be done.' }),
    acceptDataLossBytes: lossSchema.optional(),
  })
  .refine(({ kind, acceptDataLossBytes }) => kind === 'failover' || acceptDataLossBytes === undefined, {
    path: ['acceptDataLossBytes'],
    message: 'a switchover loses nothing',
  })
  .meta({ title: 'Failover to be done' });

const controlBody = z
  .strictObject({ shard: shard.optional().meta({ description: 'Default: all shards.' }), reason })
  .meta({ title: 'Which shards, and why' });

export const decisionSchema = z
  .strictObject({
    shard: z.string(),
    wouldAct: z.boolean(),
    code: z.enum(refusals).nullable().meta({ description: 'Why nothing would be done.' }),
    reason: z.string().nullable(),
    target: z.string().nullable(),
    lagBytes: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Log that would be lost, as far as is known; null: not known.' }),
  })
  .meta({ title: 'What would be done' });

const controlled = {
  200: { description: 'How the shards stand now.', schema: statusSchema },
  422: { description: 'A shard of that name does not exist.' },
};

/** The routes of failover. */
export const failoverRoutes = {
  startFailover: {
    method: 'POST',
    path: '/api/disaster-recovery/failover',
    scope: 'admin',
    once: {},
    summary: 'Replace the writer of a shard',
    description:
      'The writer is looked at once more first. A failover is refused while the writer answers, a switchover while it does not. A pause and the cooldown hold for what happens by itself alone. `dryRun` answers 200.',
    body: failoverBody,
    responses: {
      200: { description: 'With `dryRun`: what would be done.', schema: decisionSchema },
      202: {
        description: 'It was decided, and is being done.',
        schema: shardStatusSchema,
        headers: followed,
      },
      409: {
        description:
          'The shard does not allow it now: `code` says why, `lagBytes` what would be lost, `errors` which field would change that.',
      },
      422: { description: 'There is no such shard, or no such target, or it is observed only.' },
    },
  },
  pauseFailover: {
    method: 'POST',
    path: '/api/disaster-recovery/failover/pause',
    scope: 'admin',
    summary: 'Hold automatic failover',
    description:
      'What is going on goes on; by request failover is done nevertheless. Pausing twice is the same as once.',
    body: controlBody,
    responses: controlled,
  },
  resumeFailover: {
    method: 'POST',
    path: '/api/disaster-recovery/failover/resume',
    scope: 'admin',
    summary: 'Let failover happen by itself again',
    description: 'Also where attempts are used up, or before the cooldown is over.',
    body: controlBody,
    responses: controlled,
  },
  getFailoverStatus: {
    method: 'GET',
    path: '/api/disaster-recovery/failover/status',
    scope: 'admin',
    summary: 'How failover of each shard stands',
    description:
      'State, probes, writer and readers with their lag, what is being done, and the last failover with its timeline.',
    query: z.strictObject({ shard: shard.optional().meta({ description: 'Only this one.' }) }),
    responses: {
      200: { description: 'The shards by name.', schema: statusSchema },
      404: { description: 'There is no shard of that name.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
