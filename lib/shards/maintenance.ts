import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { shardsContract } from '../../functions/shards/contract.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { BundledFunction } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { ShardHealthProps } from './health.ts';

/** Looks the shards' databases through each week for what they need, and does it where the deployment wants that. */
export class ShardMaintenance extends Construct {
  readonly function: BundledFunction;

  constructor(scope: Construct, id: string, props: ShardHealthProps) {
    super(scope, id);
    const { settings, stateful, notifications } = props;
    const { environment, config } = settings;
    const { enabled, schedule: _, ...variable } = config.maintenance;
    this.function = new BundledFunction(scope, 'Maintain', {
      settings,
      contract: shardsContract,
      name: 'maintain',
      description: 'Analyses, vacuums and cleans up the shards, or says what needs it',
      memoryMiB: 512,
      timeout: Duration.minutes(15),
      network: stateful.network,
    });
    this.function.addEnvironment('MAINTENANCE', JSON.stringify(variable));
    const { shards: table } = stateful.tables;
    table.grant(this.function, ['dynamodb:Query']);
    table.grantItems(this.function, ['dynamodb:PutItem'], ['MAINTENANCE']);
    stateful.buckets.backups.grantWriteBelow(this.function, ['archives/']);
    for (const shard of stateful.shards) shard.grantConnect(this.function, 'maintain');
    if (!enabled) return;
    this.schedule(props);
    watchFunction(this.function, { name: 'maintain', thresholds: config.alarms, notifications });
    new Alarm(this, 'Failed', {
      name: 'maintenance-failed',
      description: 'Maintenance of the shards could not do all that it was to do.',
      runbook: 'maintenance-failed',
      notifications,
      metric: capabilityMetric(environment, 'shards', 'MaintenanceFailures', Duration.minutes(15)),
    });
  }

  private schedule({ settings, deadLetters }: ShardHealthProps): void {
    // Two at the same time would be in each other's way.
    const invocations = new CfnEventInvokeConfig(this, 'Invocations', {
      functionName: this.function.function.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: Duration.hours(1).toSeconds(),
    });
    acknowledge(invocations, {
      'Serverless-LambdaAsyncFailureDestination':
        'An event of the schedule holds nothing that could be lost, and what a run leaves over the next one does. That it failed is told by the alarm on the function’s errors.',
    });
    new events.Rule(this, 'Schedule', {
      description: 'Maintain the shards’ databases',
      schedule: events.Schedule.expression(settings.config.maintenance.schedule),
      targets: [
        new LambdaFunction(this.function.function, {
          ...deadLetters.delivery,
          event: events.RuleTargetInput.fromObject({}),
        }),
      ],
    });
  }
}
