import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FunctionSettings } from './constructs/function.ts';
import { Failover } from './failover/failover.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import type { PlatformStack } from './platform-stack.ts';
import { Shards } from './shards/shards.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface DatabasesStackProps extends StackProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  platform: PlatformStack;
}

/**
 * Where keys live, and what is done about writers that do not serve; and the page that shows all of it. It builds on the
 * Platform stack, which knows nothing of it, and can be replaced at any time.
 */
export class DatabasesStack extends Stack {
  constructor(scope: Construct, id: string, { settings, stateful, platform, ...props }: DatabasesStackProps) {
    super(scope, id, { ...props, suppressTemplateIndentation: true });
    const { api, access, events, notifications, recovery } = platform;
    const deadLetters = platform.deadLetters.in(this);
    new Shards(this, 'Shards', { settings, stateful, api, access, deadLetters, notifications });
    const failover = new Failover(this, 'Failover', {
      ...{ settings, stateful, api, access, events, deadLetters, notifications },
    });
    new Dashboard(this, 'Dashboard', { settings, stateful, api, recovery, failover });
    // Nothing is probed before the bootstrap has prepared databases for it.
    this.addStackDependency(platform);
  }
}
