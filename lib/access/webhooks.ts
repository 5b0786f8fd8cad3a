import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { tenantKeyOf } from '../../functions/access/tenants/tenant-keys.ts';
import { secretPurpose } from '../../functions/access/webhooks/secret-box.ts';
import type { CapabilityContract } from '../../functions/shared/contract.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { Notifications } from '../constructs/notifications.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { webhookDefinition } from './webhook-workflow.ts';

export interface WebhooksProps {
  settings: FunctionSettings;
  stateful: Pick<StatefulStack, 'tables' | 'keys'>;
  events: EventBus;
  deadLetters: DeadLetters;
  notifications: Notifications;
  /** The contract that names the functions. */
  contract: CapabilityContract;
}

/** Tells endpoints of events: who is told, each delivery with its attempts, and what watches over that. */
export class Webhooks extends Construct {
  readonly dispatch: BundledFunction;
  readonly deliver: BundledFunction;
  readonly deliveries: Workflow;
  private readonly props: WebhooksProps;

  constructor(scope: Construct, id: string, props: WebhooksProps) {
    super(scope, id);
    this.props = props;
    const { settings, stateful, contract, deadLetters } = props;
    const { environment, config } = settings;
    const common = { settings, contract, onFailure: deadLetters };
    this.dispatch = new BundledFunction(scope, 'DispatchWebhooks', {
      ...common,
      name: 'dispatch-webhooks',
      description: 'Finds out which webhooks are told of an event',
      memoryMiB: 256,
      timeout: Duration.minutes(1),
    });
    this.deliver = new BundledFunction(scope, 'DeliverWebhook', {
      ...common,
      name: 'deliver-webhook',
      description: 'Makes one attempt to tell a webhook of an event',
      memoryMiB: 256,
      timeout: Duration.seconds(45),
    });
    this.deliveries = new Workflow(this, 'Workflow', {
      environment,
      config,
      name: 'webhook',
      definition: webhookDefinition(this.deliver),
      functions: [this.deliver],
    });

    stateful.tables.webhooks.grant(this.dispatch, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query']);
    this.grantTenants(this.dispatch);
    this.grantStart(this.dispatch);
    props.events.grantPut(this.dispatch);

    stateful.tables.webhooks.grant(this.deliver, ['dynamodb:GetItem', 'dynamodb:UpdateItem']);
    this.grantTenants(this.deliver);
    this.grantSecrets(this.deliver, 'kms:Decrypt');
    this.grantNetworks(this.deliver);
    props.events.grantPut(this.deliver);
    this.deliver.addEnvironment(
      'WEBHOOK_DISABLE_AFTER_DAYS',
      String(config.access.webhooks.disableAfterDays),
    );

    this.addRules();
    this.addAlarms();
  }

  /** Lets a function serve the routes of webhooks. */
  grantManage(fn: BundledFunction): void {
    this.props.stateful.tables.webhooks.grantReadWrite(fn);
    this.grantStart(fn);
    this.grantSecrets(fn, 'kms:Encrypt');
    this.grantNetworks(fn);
  }

  /** The table holds keys as well: those are nothing to the functions of webhooks. */
  private grantTenants(fn: BundledFunction): void {
    this.props.stateful.tables.access.grantItems(fn, ['dynamodb:GetItem'], [tenantKeyOf('*').pk]);
  }

  private grantStart(fn: BundledFunction): void {
    fn.allow(['states:StartExecution'], [this.deliveries.arn]);
    fn.addEnvironment('WEBHOOK_STATE_MACHINE_ARN', this.deliveries.arn);
  }

  /** The key wraps the data keys of backups as well: the condition keeps those out of reach. */
  private grantSecrets(fn: BundledFunction, action: 'kms:Encrypt' | 'kms:Decrypt'): void {
    const { keyArn } = this.props.stateful.keys.encryption;
    fn.policies.addToPolicy(
      new iam.PolicyStatement({
        actions: [action],
        resources: [keyArn],
        conditions: { StringEquals: { 'kms:EncryptionContext:purpose': secretPurpose } },
      }),
    );
    fn.addEnvironment('ENCRYPTION_KEY_ARN', keyArn);
  }

  private grantNetworks(fn: BundledFunction): void {
    const { privateNetworks } = this.props.settings.config.access.webhooks;
    fn.addEnvironment('WEBHOOK_PRIVATE_NETWORKS', JSON.stringify(privateNetworks));
  }

  private addRules(): void {
    const { settings, deadLetters } = this.props;
    const { delivery } = deadLetters;
    new events.Rule(this, 'Happened', {
      description: 'Something happened that webhooks may be told of',
      eventBus: this.props.events.bus,
      eventPattern: { source: events.Match.prefix('mainstay.') },
      targets: [new LambdaFunction(this.dispatch.function, delivery)],
    });
    new events.Rule(this, 'AlarmChanged', {
      description: 'An alarm of this environment changed its state',
      eventPattern: {
        source: ['aws.cloudwatch'],
        detailType: ['CloudWatch Alarm State Change'],
        detail: { alarmName: events.Match.prefix(`mainstay-${settings.environment}-`) },
      },
      targets: [new LambdaFunction(this.dispatch.function, delivery)],
    });
    new events.Rule(this, 'StartQueuedSchedule', {
      description: 'Start deliveries of webhooks that were queued and never started',
      schedule: events.Schedule.rate(Duration.hours(1)),
      targets: [
        new LambdaFunction(this.dispatch.function, {
          ...delivery,
          event: events.RuleTargetInput.fromObject({ phase: 'start-queued' }),
        }),
      ],
    });
    // Whatever breaks an execution: its delivery does not stay `running`.
    new events.Rule(this, 'EndedBadly', {
      description: 'A delivery of a webhook failed, timed out or was stopped',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: [this.deliveries.arn],
        },
      },
      targets: [new LambdaFunction(this.deliver.function, delivery)],
    });
  }

  private addAlarms(): void {
    const { settings, notifications } = this.props;
    new Alarm(this, 'Disabled', {
      name: 'webhook-disabled',
      description: 'A webhook was disabled: its receiver is gone, or has taken nothing for days.',
      runbook: 'webhook-disabled',
      notifications,
      metric: capabilityMetric(settings.environment, 'access', 'WebhooksDisabled', Duration.minutes(5)),
    });
    const thresholds = settings.config.alarms;
    watchFunction(this.dispatch, { name: 'dispatch-webhooks', thresholds, notifications });
    watchFunction(this.deliver, { name: 'deliver-webhook', thresholds, notifications });
  }
}
