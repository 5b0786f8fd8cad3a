import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { tracingContract } from '../../functions/tracing/contract.ts';
import type { Access } from '../access/access.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addCanary } from './canary.ts';
import { addLimits } from './limits.ts';
import { addQueries } from './queries.ts';

export interface TracingProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
  deadLetters: Delivery;
  notifications: Notifications;
}

/** Spans of the platform's services, and of Mainstay itself: taken in, kept and found. */
export class Tracing extends Construct {
  readonly ingestFunction: BundledFunction;
  private readonly props: TracingProps;

  constructor(scope: Construct, id: string, props: TracingProps) {
    super(scope, id);
    this.props = props;
    const { settings, api, access } = props;
    this.ingestFunction = new BundledFunction(this, 'Ingest', {
      settings,
      contract: tracingContract,
      name: 'ingest',
      description: 'Takes in spans by OTLP',
      // One whole CPU: most of its time it decodes.
      memoryMiB: 1_769,
      timeout: Duration.seconds(28),
    });
    addLimits(this.ingestFunction, settings);
    access.grantGate(this.ingestFunction);
    this.grantStore(this.ingestFunction);
    api.addRoutes(tracingContract, this.ingestFunction);
    addQueries(this, props);
    addCanary(this, props);
  }

  /** Lets a function store spans. Stored spans are neither read nor removed by it. */
  grantStore(fn: BundledFunction): void {
    this.props.stateful.tables.tracing.grant(fn, ['dynamodb:BatchWriteItem']);
    fn.addEnvironment('TRACING_RETENTION_DAYS', String(this.props.settings.config.tracing.retentionDays));
  }
}
