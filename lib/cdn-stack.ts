import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Cdn } from './cdn/cdn.ts';
import type { OwnDistribution } from './cdn/provider.ts';
import type { FunctionSettings } from './constructs/function.ts';
import type { PlatformStack } from './platform-stack.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface CdnStackProps extends StackProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  platform: PlatformStack;
  /** The distribution of the Edge stack, where there is one. */
  distribution?: OwnDistribution;
}

/** Purges, warming and analytics of the edge. It builds on the Platform stack, and can be replaced at any time. */
export class CdnStack extends Stack {
  readonly cdn: Cdn;

  constructor(
    scope: Construct,
    id: string,
    { settings, stateful, platform, distribution, ...props }: CdnStackProps,
  ) {
    super(scope, id, { ...props, suppressTemplateIndentation: true });
    const { api, access, events, notifications } = platform;
    const deadLetters = platform.deadLetters.in(this);
    this.cdn = new Cdn(this, 'Cdn', {
      ...{ settings, stateful, api, access, events, deadLetters, notifications, distribution },
    });
    this.addStackDependency(platform);
  }
}
