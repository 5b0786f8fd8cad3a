import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FunctionSettings } from './constructs/function.ts';
import { Metrics } from './metrics/metrics.ts';
import type { PlatformStack } from './platform-stack.ts';
import type { StatefulStack } from './stateful-stack.ts';
import { Tracing } from './tracing/tracing.ts';

export interface TelemetryStackProps extends StackProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  platform: PlatformStack;
}

/** What services say of themselves. It builds on the Platform stack, and can be replaced at any time. */
export class TelemetryStack extends Stack {
  readonly tracing: Tracing;

  constructor(scope: Construct, id: string, { settings, stateful, platform, ...props }: TelemetryStackProps) {
    super(scope, id, { ...props, suppressTemplateIndentation: true });
    const { api, access, notifications } = platform;
    const deadLetters = platform.deadLetters.in(this);
    const common = { settings, stateful, api, access, deadLetters };
    this.tracing = new Tracing(this, 'Tracing', common);
    new Metrics(this, 'Metrics', { ...common, notifications });
    this.addStackDependency(platform);
    platform.observer.observe(this);
  }
}
