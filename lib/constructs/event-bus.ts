import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import type { BundledFunction } from './function.ts';

/** The bus on which Mainstay tells the platform what happened. */
export class EventBus extends Construct {
  readonly bus: events.EventBus;

  constructor(scope: Construct, id: string, { environment }: { environment: string }) {
    super(scope, id);
    this.bus = new events.EventBus(this, 'Bus', { eventBusName: `mainstay-${environment}` });
  }

  /** Lets a function put events, and tells it on which bus. */
  grantPut(fn: BundledFunction): void {
    fn.allow(['events:PutEvents'], [this.bus.eventBusArn]);
    fn.addEnvironment('EVENT_BUS_NAME', this.bus.eventBusName);
  }
}
