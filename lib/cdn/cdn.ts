import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { cdnContract } from '../../functions/cdn/contract.ts';
import type { Access } from '../access/access.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { Analytics } from './analytics.ts';
import { grantAssets } from './assets.ts';
import type { OwnDistribution } from './provider.ts';
import { grantProvider } from './provider-grants.ts';
import { Purges } from './purges.ts';
import { Warming } from './warming.ts';

export interface CdnProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
  events: EventBus;
  deadLetters: Delivery;
  notifications: Notifications;
  /** The distribution of the Edge stack, where there is one. */
  distribution?: OwnDistribution | undefined;
}

/** What is known about the edge, and what is done to it. */
export class Cdn extends Construct {
  readonly apiFunction: BundledFunction;
  readonly analytics: Analytics;
  readonly purges: Purges;
  readonly warming: Warming;

  constructor(scope: Construct, id: string, props: CdnProps) {
    super(scope, id);
    const { settings, stateful, api, access, distribution } = props;
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: cdnContract,
      name: 'api',
      description: 'Serves the CDN API',
      // It puts months of traffic together.
      memoryMiB: 1024,
      timeout: Duration.seconds(28),
    });
    access.grantGate(this.apiFunction);
    stateful.tables.cdn.grantReadWrite(this.apiFunction);
    this.analytics = new Analytics(this, 'Analytics', props);
    Analytics.grantRead(this.apiFunction, props);
    this.purges = new Purges(this, 'Purges', props);
    this.warming = new Warming(this, 'Warming', props);
    this.warming.grantStart(this.purges.run);
    this.warming.grantStart(this.apiFunction);
    this.warming.grantSchedules(this.apiFunction);
    this.apiFunction.addEnvironment('USER_PATHS', JSON.stringify(settings.config.cdn.warming.userPaths));
    this.purges.grantStart(this.apiFunction);
    grantProvider(this.apiFunction, settings.config, distribution, 'look');
    grantAssets(this.apiFunction, props);
    api.addRoutes(cdnContract, this.apiFunction);
  }
}
