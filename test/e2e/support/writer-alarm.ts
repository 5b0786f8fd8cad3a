import { randomUUID } from 'node:crypto';

const region = 'us-east-1';
const accountId = '000000000000';

/** What CloudWatch sends to a function when the alarm on a shard's writer is raised. */
export function writerAlarm(shard: string, at: Date): object {
  const alarmName = `mainstay-local-writer-down-${shard}`;
  const metric = {
    namespace: 'Mainstay/local',
    name: 'WriterProbeFailed',
    dimensions: { service: 'failover', shard },
  };
  const time = at.toISOString().replace('Z', '+0000');
  return {
    source: 'aws.cloudwatch',
    alarmArn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${alarmName}`,
    accountId,
    time,
    region,
    alarmData: {
      alarmName,
      state: {
        value: 'ALARM',
        reason: 'Threshold Crossed: 3 datapoints were greater than or equal to the threshold (1.0).',
        timestamp: time,
      },
      previousState: { value: 'OK', reason: 'Threshold not crossed', timestamp: time },
      configuration: {
        description: `The writer of ${shard} does not take a write.`,
        metrics: [
          { id: randomUUID(), metricStat: { metric, period: 10, stat: 'Minimum' }, returnData: true },
        ],
      },
    },
  };
}
