import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { shardsContract } from '../../functions/shards/contract.ts';
import { healthSettingsOf } from '../config/health.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addHealthAlarms } from './health-alarms.ts';

export interface ShardHealthProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  deadLetters: Delivery;
  notifications: Notifications;
}

/** Looks at the shards from inside the network: when the API asks, and on schedule, where the deployment wants that. */
export class ShardHealth extends Construct {
  readonly function: BundledFunction;
  readonly insights: BundledFunction;

  constructor(scope: Construct, id: string, props: ShardHealthProps) {
    super(scope, id);
    const { settings, stateful, notifications } = props;
    const { config } = settings;
    this.function = new BundledFunction(this, 'Health', {
      settings,
      contract: shardsContract,
      name: 'health',
      description: 'Looks at the instances of all shards',
      // Many TLS handshakes at the same time take CPU.
      memoryMiB: 512,
      timeout: Duration.minutes(1),
      network: stateful.network,
    });
    this.insights = new BundledFunction(scope, 'Insights', {
      settings,
      contract: shardsContract,
      name: 'insights',
      description: 'Reads the statistics of all shards',
      memoryMiB: 512,
      timeout: Duration.minutes(1),
      network: stateful.network,
    });
    const { shards: table } = stateful.tables;
    for (const fn of [this.function, this.insights]) {
      fn.addEnvironment('HEALTH', JSON.stringify(healthSettingsOf(config)));
      for (const shard of stateful.shards) shard.grantConnect(fn, 'stats');
    }
    table.grant(this.insights, ['dynamodb:Query']);
    table.grant(this.function, ['dynamodb:Query', 'dynamodb:GetItem']);
    table.grantItems(this.function, ['dynamodb:PutItem'], ['HEALTH', 'STATEMENTS']);
    if (!config.health.scheduled) return;
    this.schedule(props);
    watchFunction(this.function, { name: 'shard-health', thresholds: config.alarms, notifications });
    addHealthAlarms(this, settings, notifications);
  }

  /** Lets the API have the shards looked at. */
  grantLook(api: BundledFunction, { config }: FunctionSettings): void {
    this.function.grantInvoke(api, 'HEALTH_FUNCTION_ARN');
    this.insights.grantInvoke(api, 'INSIGHTS_FUNCTION_ARN');
    api.addEnvironment('HEALTH_TIMEOUT_MS', String(config.health.timeoutMs));
  }

  private schedule({ settings, deadLetters }: ShardHealthProps): void {
    const { intervalMinutes } = settings.config.health;
    const invocations = new CfnEventInvokeConfig(this, 'Invocations', {
      functionName: this.function.function.functionName,
      qualifier: '$LATEST',
      maximumRetryAttempts: 0,
      maximumEventAgeInSeconds: Duration.minutes(1).toSeconds(),
    });
    acknowledge(invocations, {
      'Serverless-LambdaAsyncFailureDestination':
        'An event of the schedule holds nothing that could be lost, and the next comes minutes later. That a look failed is told by the alarm on the function’s errors.',
    });
    new events.Rule(this, 'Schedule', {
      description: 'Look at the health of the shards',
      schedule: events.Schedule.expression(
        intervalMinutes === 60 ? 'cron(0 * * * ? *)' : `cron(0/${intervalMinutes} * * * ? *)`,
      ),
      targets: [
        new LambdaFunction(this.function.function, {
          ...deadLetters.delivery,
          event: events.RuleTargetInput.fromObject({ record: true }),
        }),
      ],
    });
  }
}
