import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { monitoringContract } from '../../functions/monitoring/contract.ts';
import { probeKey } from '../../functions/monitoring/probe-key.ts';
import type { Access } from '../access/access.ts';
import { Alarm } from '../constructs/alarm.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { version } from '../version.ts';

export interface MonitoringProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
  deadLetters: DeadLetters;
  notifications: Notifications;
}

/** Liveness, readiness of each dependency, and the alarm on what could not be delivered. */
export class Monitoring extends Construct {
  readonly apiFunction: BundledFunction;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { settings, stateful } = props;
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: monitoringContract,
      name: 'api',
      description: 'Serves the monitoring API',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
      // It probes the writer of each shard.
      network: stateful.network,
    });
    this.grant(stateful, settings.environment);
    props.access.grantOpenGate(this.apiFunction);
    props.api.addRoutes(monitoringContract, this.apiFunction);

    new Alarm(this, 'DeadLetters', {
      name: 'dead-letters',
      description: 'An event or a notification could not be delivered and was set aside.',
      runbook: 'dead-letters',
      notifications: props.notifications,
      metric: props.deadLetters.queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
    });
  }

  private grant(stateful: StatefulStack, environment: string): void {
    const fn = this.apiFunction;
    fn.addEnvironment('MAINSTAY_ENVIRONMENT', environment);
    fn.addEnvironment('MAINSTAY_VERSION', version);
    const { recovery, access, idempotency, audit, webhooks, shards, cdn, tracing, monitoring } =
      stateful.tables;
    for (const table of [recovery, access, idempotency, audit, webhooks, cdn, tracing, monitoring]) {
      table.grantItems(fn, ['dynamodb:GetItem'], [probeKey.pk]);
    }
    shards.grantRead(fn);
    stateful.buckets.backups.grantProbe(fn);
    stateful.keys.grantProbe(fn);
    for (const shard of stateful.shards) shard.grantConnect(fn, 'probe');
  }
}
