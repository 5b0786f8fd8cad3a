import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { cdnContract } from '../../functions/cdn/contract.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { BundledFunction } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { CdnProps } from './cdn.ts';
import { grantProvider } from './provider-grants.ts';
import { longestPurge, turnsDefinition } from './turns-workflow.ts';

/** What makes the edge forget: by request, and when files of the assets bucket change. */
export class Purges extends Construct {
  readonly run: BundledFunction;
  readonly workflow: Workflow;

  constructor(scope: Construct, id: string, props: CdnProps) {
    super(scope, id);
    const { settings, stateful, access, deadLetters } = props;
    const { environment, config } = settings;
    this.run = new BundledFunction(scope, 'RunPurge', {
      ...{ settings, contract: cdnContract, name: 'run-purge' },
      description: 'Purges content from the edge, and proves it',
      memoryMiB: 512,
      timeout: Duration.minutes(4),
      onFailure: deadLetters,
    });
    this.workflow = new Workflow(this, 'Workflow', {
      ...{ environment, config, name: 'purge', functions: [this.run] },
      definition: turnsDefinition(
        this.run,
        { id: 'purgeId', comment: 'Purges content from the edge. The execution’s name is the purge’s id.' },
        longestPurge,
      ),
    });
    stateful.tables.cdn.grant(this.run, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query']);
    grantProvider(this.run, config, props.distribution, 'purge');
    props.events.grantPut(this.run);
    access.grantAppend(this.run);
    new events.Rule(this, 'EndedBadly', {
      description: 'A purge failed, timed out or was stopped',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [this.workflow.arn] },
      },
      targets: [new LambdaFunction(this.run.function, deadLetters.delivery)],
    });
    if (config.cdn.purgeChangedContent) this.purgeChangedContent(scope, props);
    this.addAlarms(props);
  }

  /** Lets a function start purges; tells it how. */
  grantStart(fn: BundledFunction): void {
    fn.allow(['states:StartExecution'], [this.workflow.arn]);
    fn.addEnvironment('PURGE_STATE_MACHINE_ARN', this.workflow.arn);
  }

  private purgeChangedContent(scope: Construct, props: CdnProps): void {
    const { settings, stateful, deadLetters, notifications } = props;
    const changed = new BundledFunction(scope, 'ContentChanged', {
      ...{ settings, contract: cdnContract, name: 'content-changed' },
      description: 'Notes what has changed in the assets bucket, and has it purged',
      memoryMiB: 256,
      timeout: Duration.seconds(10),
      onFailure: deadLetters,
    });
    stateful.tables.cdn.grant(changed, ['dynamodb:PutItem']);
    grantProvider(changed, settings.config, props.distribution, 'know');
    this.grantStart(changed);
    new events.Rule(this, 'Changed', {
      description: 'A file that the edge serves has changed',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [stateful.buckets.assets.bucketName] } },
      },
      targets: [new LambdaFunction(changed.function, deadLetters.delivery)],
    });
    watchFunction(changed, { name: 'content-changed', thresholds: settings.config.alarms, notifications });
  }

  private addAlarms({ settings, notifications }: CdnProps): void {
    new Alarm(this, 'Failed', {
      name: 'purge-failed',
      description: 'A purge has failed: the edge may still serve what it should have forgotten.',
      runbook: 'purge-failed',
      notifications,
      metric: capabilityMetric(settings.environment, 'cdn', 'PurgesFailed', Duration.minutes(5)),
    });
    watchFunction(this.run, { name: 'run-purge', thresholds: settings.config.alarms, notifications });
  }
}
