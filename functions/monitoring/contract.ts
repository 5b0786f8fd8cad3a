import * as z from 'zod';
import { openEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';

const healthSchema = z.strictObject({
  status: z.literal('ok'),
  environment: z.string().meta({ examples: ['production'] }),
  version: z.string().meta({ examples: ['1.4.0'] }),
  time: z.iso.datetime(),
});

/** One thing Mainstay cannot work without, and whether it answered just now. */
const dependencySchema = z.strictObject({
  name: z.string().meta({ examples: ['table:recovery', 'shard:shard-a:writer'] }),
  state: z.enum(['up', 'down']),
  latencyMs: z.number().min(0),
  reason: z
    .enum(['timeout', 'denied', 'absent', 'unusable', 'unreachable'])
    .optional()
    .describe('Why it counts as down.'),
});
export type Dependency = z.output<typeof dependencySchema>;

const readinessSchema = z.strictObject({
  status: z.enum(['ready', 'unready']),
  checkedAt: z.iso.datetime().describe('The answer is at most five seconds old.'),
  dependencies: z.array(dependencySchema),
});
export type Readiness = z.output<typeof readinessSchema>;

export const monitoringContract = defineContract({
  name: 'monitoring',
  title: 'Monitoring',
  description: 'What is failing, how slow are we, who gets told.',
  routes: {
    health: {
      method: 'GET',
      path: '/api/health',
      scope: 'open',
      uncounted: true,
      summary: 'Liveness: the API answers',
      description: 'Touches no dependency. Use `/api/ready` to ask whether work can be done.',
      responses: { 200: { description: 'The API answers.', schema: healthSchema } },
    },
    ready: {
      method: 'GET',
      path: '/api/ready',
      scope: 'open',
      uncounted: true,
      summary: 'Readiness of each dependency',
      responses: {
        200: { description: 'Every dependency answers.', schema: readinessSchema },
        503: { description: 'At least one dependency does not answer.', schema: readinessSchema },
      },
    },
  },
  functions: {
    /** In the VPC: it probes the writer of each shard as `mainstay_probe`. */
    api: {
      environment: openEnvironment.extend({
        MAINSTAY_ENVIRONMENT: z.string().min(1),
        MAINSTAY_VERSION: z.string().min(1),
        RECOVERY_TABLE: z.string().min(1),
        ACCESS_TABLE: z.string().min(1),
        IDEMPOTENCY_TABLE: z.string().min(1),
        AUDIT_TABLE: z.string().min(1),
        WEBHOOKS_TABLE: z.string().min(1),
        SHARDS_TABLE: z.string().min(1),
        CDN_TABLE: z.string().min(1),
        TRACING_TABLE: z.string().min(1),
        MONITORING_TABLE: z.string().min(1),
        BACKUPS_BUCKET: z.string().min(1),
        ENCRYPTION_KEY_ARN: z.string().startsWith('arn:'),
        HMAC_KEY_ARN: z.string().startsWith('arn:'),
      }),
    },
  },
});
