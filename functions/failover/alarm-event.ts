import * as z from 'zod';

/** The metric that alarms on writers watch. */
export const probeMetric = 'WriterProbeFailed';

const stateSchema = z.looseObject({
  value: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  reason: z.string().default(''),
  reasonData: z.string().optional(),
  timestamp: z.string().optional(),
});

const metricSchema = z.looseObject({
  id: z.string(),
  metricStat: z
    .looseObject({
      metric: z.looseObject({
        namespace: z.string().optional(),
        name: z.string(),
        dimensions: z.record(z.string(), z.string()).default({}),
      }),
    })
    .optional(),
});

/** What CloudWatch sends to a Lambda function that is the action of an alarm. */
export const alarmEventSchema = z.strictObject({
  source: z.literal('aws.cloudwatch'),
  alarmArn: z.string().startsWith('arn:'),
  accountId: z.string().regex(/^\d{12}$/),
  time: z.string().max(64),
  region: z.string().min(1),
  alarmData: z.looseObject({
    alarmName: z.string().min(1),
    state: stateSchema,
    previousState: stateSchema.partial().optional(),
    configuration: z.looseObject({
      description: z.string().optional(),
      metrics: z.array(metricSchema).min(1).max(100),
    }),
  }),
});
export type AlarmEvent = z.output<typeof alarmEventSchema>;

/**
 * The shard that an alarm is about.
 *
 * @param prefix what the ARNs of the deployment's alarms on writers begin with.
 * @throws Error when the alarm is not one of them, or not about one shard.
 */
export function shardOfAlarm({ alarmArn, alarmData }: AlarmEvent, prefix: string): string {
  const { alarmName, configuration } = alarmData;
  if (!alarmArn.startsWith(prefix) || !alarmArn.endsWith(`:alarm:${alarmName}`)) {
    throw new Error(`The alarm ${alarmArn} is not one of this deployment’s on writers`);
  }
  const shards = configuration.metrics
    .map(({ metricStat }) => metricStat?.metric)
    .filter((metric) => metric?.name === probeMetric)
    .map((metric) => metric?.dimensions.shard);
  const [shard] = shards;
  if (shard === undefined || shards.some((other) => other !== shard)) {
    throw new Error(`The alarm ${alarmName} is not about one shard`);
  }
  if (alarmArn !== `${prefix}${shard}`) throw new Error(`The alarm ${alarmName} is not the one of ${shard}`);
  return shard;
}
