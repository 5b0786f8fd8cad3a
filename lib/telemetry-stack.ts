import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import type { FunctionSettings } from './constructs/function.ts';
import { Workflow } from './constructs/workflow.ts';
import { Metrics } from './metrics/metrics.ts';
import { addLogQueries } from './monitoring/log-queries.ts';
import type { PlatformStack } from './platform-stack.ts';
import type { StatefulStack } from './stateful-stack.ts';
import { Tracing } from './tracing/tracing.ts';

export interface TelemetryStackProps extends StackProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  platform: PlatformStack;
  /** Further stacks whose functions are observed. */
  others: readonly Stack[];
}

/** What services say of themselves. It builds on the Platform stack, and can be replaced at any time. */
export class TelemetryStack extends Stack {
  readonly tracing: Tracing;

  constructor(scope: Construct, id: string, props: TelemetryStackProps) {
    const { settings, stateful, platform, others, ...rest } = props;
    super(scope, id, { ...rest, suppressTemplateIndentation: true });
    const { api, access, notifications } = platform;
    const deadLetters = platform.deadLetters.in(this);
    const common = { settings, stateful, api, access, deadLetters, notifications };
    this.tracing = new Tracing(this, 'Tracing', common);
    const workflows = [platform, ...others, this].flatMap((stack) => stack.node.findAll().filter(isWorkflow));
    const metrics = new Metrics(this, 'Metrics', { ...common, workflows });
    addLogQueries(this, { environment: settings.environment, api, stacks: [platform, ...others, this] });
    this.addStackDependency(platform);
    metrics.observer.observe([platform, ...others, this]);
    for (const stack of others) this.addStackDependency(stack);
  }
}

const isWorkflow = (node: IConstruct): node is Workflow => node instanceof Workflow;
