import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { accessContract } from '../../functions/access/contract.ts';
import { accessPolicySchema } from '../../functions/access/policy.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { gateItems } from './gate-items.ts';
import { Webhooks } from './webhooks.ts';

export interface AccessProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  events: EventBus;
  deadLetters: DeadLetters;
  notifications: Notifications;
}

/** When the chains of the day before are verified: nobody appends to them any more. */
const auditSchedule = events.Schedule.cron({ hour: '3', minute: '10' });

/** What is wrong with the audit trail, each by a metric of its own. */
const auditAlarms = [
  {
    id: 'AuditBroken',
    name: 'audit-broken',
    description: 'A chain of the audit trail is not as it was written.',
    runbook: 'audit-broken',
    metricName: 'AuditChainsBroken',
  },
  {
    id: 'AuditUnverified',
    name: 'audit-unverified',
    description: 'A chain of the audit trail could not be verified.',
    runbook: 'audit-broken',
    metricName: 'AuditChainsUnverified',
  },
  {
    id: 'AuditLost',
    name: 'audit-lost',
    description: 'Something was changed or refused, and the audit trail did not take it.',
    runbook: 'audit-lost',
    metricName: 'AuditEntriesLost',
  },
];

/** Who may call what and how often, who did what, and who is told: tenants, keys, limits, audit, webhooks. */
export class Access extends Construct {
  readonly apiFunction: BundledFunction;
  private readonly props: AccessProps;
  private readonly verifyAudit: BundledFunction;

  constructor(scope: Construct, id: string, props: AccessProps) {
    super(scope, id);
    this.props = props;
    const { settings, stateful, api, deadLetters } = props;
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: accessContract,
      name: 'api',
      description: 'Serves the access API',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    this.verifyAudit = new BundledFunction(this, 'VerifyAudit', {
      settings,
      contract: accessContract,
      name: 'verify-audit',
      description: 'Verifies the chains of the audit trail and seals them',
      memoryMiB: 512,
      timeout: Duration.minutes(15),
      onFailure: deadLetters,
    });
    const webhooks = new Webhooks(this, 'Webhooks', { ...props, contract: accessContract });

    this.grantGate(this.apiFunction);
    const { tables, keys } = stateful;
    tables.access.grantReadWrite(this.apiFunction);
    tables.limits.grantReadWrite(this.apiFunction);
    props.events.grantPut(this.apiFunction);
    webhooks.grantManage(this.apiFunction);
    this.grantAppend(webhooks.deliver);
    api.addRoutes(accessContract, this.apiFunction);

    this.grantAppend(this.verifyAudit);
    keys.grantMac(this.verifyAudit, ['kms:GenerateMac', 'kms:VerifyMac']);
    new events.Rule(this, 'AuditSchedule', {
      description: 'Verify the audit trail of the day before',
      schedule: auditSchedule,
      targets: [
        new LambdaFunction(this.verifyAudit.function, {
          ...deadLetters.delivery,
          event: events.RuleTargetInput.fromObject({}),
        }),
      ],
    });
    this.addAlarms();
  }

  /** Lets a function find out who calls it and how often they may, keep answers to repeated requests, and record changes. */
  grantGate(fn: BundledFunction): void {
    const { tables, secrets } = this.props.stateful;
    this.grantOpenGate(fn);
    tables.access.grant(fn, ['dynamodb:GetItem']);
    secrets.grantReadPepper(fn);
    tables.idempotency.grant(fn, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']);
    this.grantAppend(fn);
  }

  /** Lets a function append to the audit trail. Nothing in it is changed or removed, by whoever it may be. */
  grantAppend(fn: BundledFunction): void {
    this.props.stateful.tables.audit.grant(fn, ['dynamodb:Query', 'dynamodb:PutItem']);
    fn.addEnvironment('AUDIT_DAYS', String(this.props.settings.config.access.auditDays));
  }

  /** Lets a function all of whose routes are open count who calls it. */
  grantOpenGate(fn: BundledFunction): void {
    const { limits } = this.props.stateful.tables;
    limits.grant(fn, ['dynamodb:GetItem']);
    limits.grantItems(fn, ['dynamodb:UpdateItem'], gateItems);
    fn.addEnvironment(
      'ACCESS_POLICY',
      JSON.stringify(accessPolicySchema.strip().parse(this.props.settings.config.access)),
    );
  }

  /** Lets a function make API keys. */
  grantIssue(fn: BundledFunction): void {
    const { tables, secrets } = this.props.stateful;
    tables.access.grant(fn, ['dynamodb:PutItem', 'dynamodb:UpdateItem']);
    secrets.grantReadPepper(fn);
  }

  private addAlarms(): void {
    const { settings, notifications } = this.props;
    for (const { id, metricName, ...alarm } of auditAlarms) {
      new Alarm(this, id, {
        ...alarm,
        notifications,
        metric: capabilityMetric(settings.environment, 'access', metricName, Duration.minutes(5)),
      });
    }
    watchFunction(this.verifyAudit, {
      name: 'verify-audit',
      thresholds: settings.config.alarms,
      notifications,
    });
  }
}
