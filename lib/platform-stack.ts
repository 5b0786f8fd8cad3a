import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Access } from './access/access.ts';
import { Bootstrap } from './bootstrap/bootstrap.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { EventBus } from './constructs/event-bus.ts';
import type { FunctionSettings } from './constructs/function.ts';
import { GradualDeployment } from './constructs/gradual-deployment.ts';
import { HttpApi } from './constructs/http-api.ts';
import { Notifications } from './constructs/notifications.ts';
import { Monitoring } from './monitoring/monitoring.ts';
import { Recovery } from './recovery/recovery.ts';
import { Reference } from './reference/reference.ts';
import { watchReplication } from './standby/alarms.ts';
import type { Vault } from './standby/vault.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface PlatformStackProps extends StackProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  /** Where backups are copied to, in a second region. */
  vault?: Vault;
}

/**
 * What all capabilities share, and those that others need, wired to each other and to what the Stateful stack keeps. It can be
 * replaced at any time.
 */
export class PlatformStack extends Stack {
  readonly api: HttpApi;
  readonly access: Access;
  readonly events: EventBus;
  readonly deadLetters: DeadLetters;
  readonly notifications: Notifications;
  readonly recovery: Recovery;

  constructor(scope: Construct, id: string, { settings, stateful, vault, ...props }: PlatformStackProps) {
    // CloudFormation takes a megabyte, spaces included.
    super(scope, id, { ...props, suppressTemplateIndentation: true });
    const { environment, config } = settings;
    this.deadLetters = new DeadLetters(this, 'DeadLetters', { environment });
    this.notifications = new Notifications(this, 'Notifications', {
      environment,
      config: config.alarms,
      key: stateful.keys.data,
      deadLetters: this.deadLetters,
    });
    this.events = new EventBus(this, 'Events', { environment });
    this.api = new HttpApi(this, 'HttpApi', { environment, config });
    const { api, deadLetters, events, notifications } = this;
    if (config.deployment.shift !== 'all-at-once') {
      const { shift, serverErrors } = config.deployment;
      api.deployGradually(
        new GradualDeployment(this, 'Deployment', { environment, shift, serverErrors, api, notifications }),
      );
    }
    const common = { settings, stateful, api, deadLetters, notifications };

    this.access = new Access(this, 'Access', { ...common, events });
    const { access } = this;
    new Reference(this, 'Reference', { settings, api, access });
    new Monitoring(this, 'Monitoring', { ...common, access });
    this.recovery = new Recovery(this, 'Recovery', {
      ...common,
      access,
      events,
      ...(vault !== undefined &&
        config.standby !== undefined && { standby: { region: config.standby.region, vault } }),
    });
    new Bootstrap(this, 'Bootstrap', { settings, stateful, access, recovery: this.recovery });
    if (vault !== undefined) {
      watchReplication(this, {
        source: stateful.buckets.backups.bucket,
        destination: vault.bucket,
        notifications,
      });
    }

    new CfnOutput(this, 'ApiUrl', { value: api.url, description: 'Base URL of the API' });
    new CfnOutput(this, 'AdminKeySecretArn', {
      value: stateful.secrets.adminKey.secretArn,
      description: 'Secret that holds the first admin API key',
    });
  }
}
