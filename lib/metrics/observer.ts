import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { metricsContract } from '../../functions/metrics/contract.ts';
import { invocationMark } from '../../functions/shared/invocation-line.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';

export interface ObserverProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  deadLetters: Delivery;
  notifications: Notifications;
}

/** Hears what all functions tell of their invocations: from their logs, so that none of them waits for it. */
export class Observer extends Construct {
  private readonly fn: BundledFunction;
  private readonly permission: lambda.CfnPermission;

  constructor(scope: Construct, id: string, props: ObserverProps) {
    super(scope, id);
    const { settings, stateful, deadLetters, notifications } = props;
    this.fn = new BundledFunction(scope, 'Observe', {
      settings,
      contract: metricsContract,
      name: 'observe',
      description: 'Keeps what functions tell of their invocations',
      memoryMiB: 512,
      timeout: Duration.seconds(60),
      onFailure: deadLetters,
    });
    stateful.tables.monitoring.grant(this.fn, ['dynamodb:PutItem']);
    stateful.tables.tracing.grant(this.fn, ['dynamodb:BatchWriteItem']);
    this.fn.addEnvironment('TRACING_RETENTION_DAYS', String(settings.config.tracing.retentionDays));
    watchFunction(this.fn, { name: 'observe', thresholds: settings.config.alarms, notifications });
    this.permission = new lambda.CfnPermission(this, 'LogsMaySend', {
      action: 'lambda:InvokeFunction',
      functionName: this.fn.function.functionArn,
      principal: 'logs.amazonaws.com',
      sourceAccount: Stack.of(this).account,
      sourceArn: Stack.of(this).formatArn({
        service: 'logs',
        resource: 'log-group',
        resourceName: `Mainstay-${settings.environment}-*:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    });
  }

  /**
   * Sends the lines of all functions of some stacks to the observer, but its own: it would hear of hearing. What does so is in the
   * observer's own stack, for others have no room for it.
   */
  observe(stacks: readonly Stack[]): void {
    for (const fn of stacks.flatMap((stack) => stack.node.findAll().filter(isFunction))) {
      if (fn === this.fn) continue;
      const filter = new logs.CfnSubscriptionFilter(this, `Lines-${fn.node.path.replaceAll('/', '-')}`, {
        logGroupName: fn.logGroup.logGroupName,
        filterPattern: `"${invocationMark}"`,
        destinationArn: this.fn.function.functionArn,
      });
      filter.node.addDependency(this.permission);
    }
  }
}

const isFunction = (node: IConstruct): node is BundledFunction => node instanceof BundledFunction;
