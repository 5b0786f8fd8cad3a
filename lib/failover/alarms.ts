import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { FailoverConfig } from '../config/failover.ts';
import { Alarm } from '../constructs/alarm.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Failover, FailoverProps } from './failover.ts';
import { failoverMetric, shardMetric } from './metrics.ts';

type Props = Pick<FailoverProps, 'settings' | 'stateful' | 'notifications'>;

/**
 * Says when writers do not serve, when it is the probe that sees nothing, and when a failover could not be relied on.
 *
 * @param target the function that the alarms of writers invoke, beside telling people.
 */
export function addDetectionAlarms(
  scope: Construct,
  { schedule }: Failover,
  target: BundledFunction,
  { settings, stateful, notifications }: Props,
): void {
  const { environment, config } = settings;
  if (!config.failover.enabled) return;
  const action: cloudwatch.IAlarmAction = {
    bind: () => ({ alarmActionArn: target.function.functionArn }),
  };
  admitAlarms(scope, target, environment);

  const { periodSeconds, datapoints } = detection(config.failover);
  for (const { name } of stateful.shards) {
    const { alarm } = new Alarm(scope, `WriterDown${name}`, {
      name: `${writerDown}-${name}`,
      description: `The writer of ${name} does not take a write, or nobody looks whether it does.`,
      runbook: writerDown,
      notifications,
      metric: shardMetric(
        environment,
        'WriterProbeFailed',
        name,
        Duration.seconds(periodSeconds),
        // Several probes may fall into one period: it counts where all of them failed.
        cloudwatch.Stats.MINIMUM,
      ),
      // One more than is needed: a value that is late or missing does not raise it by itself.
      evaluationPeriods: datapoints + 1,
      datapointsToAlarm: datapoints,
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
    });
    alarm.addAlarmAction(action);
    // Silence raises it: it is not there before the probes are.
    if (schedule !== undefined) alarm.node.addDependency(schedule);
  }

  new Alarm(scope, 'ProbeCutOff', {
    name: 'probe-cut-off',
    description: 'The probe reaches no instance of any shard: nobody sees whether writers serve.',
    runbook: 'probe-cut-off',
    notifications,
    metric: failoverMetric(environment, 'ProbeCutOff', Duration.minutes(1), cloudwatch.Stats.MINIMUM),
    evaluationPeriods: 3,
    datapointsToAlarm: 2,
  });
  new Alarm(scope, 'SecondWriter', {
    name: 'second-writer',
    description: 'An instance beside the writer takes writes: what is written there is lost to the platform.',
    runbook: 'second-writer',
    notifications,
    metric: failoverMetric(environment, 'OtherWriters', Duration.minutes(1), cloudwatch.Stats.MAXIMUM),
  });
  watchReaders(scope, config.failover, environment, notifications);
}

/** What the ARNs of the alarms on writers begin with; the shard's name follows. */
export function writerAlarmPrefix(stack: Stack, environment: string): string {
  return stack.formatArn({
    service: 'cloudwatch',
    resource: 'alarm',
    resourceName: `mainstay-${environment}-${writerDown}-`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
const writerDown = 'writer-down';

/** In which periods an alarm counts failed probes, and how many of them raise it. */
export function detection({
  probeIntervalSeconds,
  failureThreshold,
}: Pick<FailoverConfig, 'probeIntervalSeconds' | 'failureThreshold'>): {
  periodSeconds: number;
  datapoints: number;
} {
  // CloudWatch has periods of 10, 30 and 60 seconds.
  const periodSeconds = [10, 30, 60].find((seconds) => seconds >= probeIntervalSeconds) ?? 60;
  return { periodSeconds, datapoints: Math.ceil((failureThreshold * probeIntervalSeconds) / periodSeconds) };
}

function watchReaders(
  scope: Construct,
  { maxLagBytes }: FailoverConfig,
  environment: string,
  notifications: FailoverProps['notifications'],
): void {
  const period = Duration.minutes(1);
  new Alarm(scope, 'ReplicaLag', {
    name: 'replica-lag',
    description: `For five minutes a reader has been unreachable, or ${maxLagBytes} bytes and more behind its writer: it would not be promoted by itself.`,
    runbook: 'replica-lag',
    notifications,
    metric: new cloudwatch.MathExpression({
      expression: `IF(FILL(bytes, 0) >= ${Math.max(1, maxLagBytes)} OR FILL(unreachable, 0) >= 1, 1, 0)`,
      label: 'A reader is not fit to be promoted',
      period,
      usingMetrics: {
        bytes: failoverMetric(environment, 'ReplicaLagBytes', period, cloudwatch.Stats.MAXIMUM),
        unreachable: failoverMetric(environment, 'ReadersUnreachable', period, cloudwatch.Stats.MAXIMUM),
      },
    }),
    evaluationPeriods: 5,
    datapointsToAlarm: 5,
  });
}

/** One permission for all alarms of the environment's writers; the CDK's own action would bring one for each. */
function admitAlarms(scope: Construct, target: BundledFunction, environment: string): void {
  const stack = Stack.of(scope);
  new lambda.CfnPermission(scope, 'AlarmsInvoke', {
    action: 'lambda:InvokeFunction',
    functionName: target.function.functionArn,
    principal: 'lambda.alarms.cloudwatch.amazonaws.com',
    sourceAccount: stack.account,
    sourceArn: `${writerAlarmPrefix(stack, environment)}*`,
  });
}
