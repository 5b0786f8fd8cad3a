import type { Rule } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { failoverContract } from '../../functions/failover/contract.ts';
import type { Access } from '../access/access.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import type { EventBus } from '../constructs/event-bus.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addDetectionAlarms } from './alarms.ts';
import { failoverDefinition } from './failover-workflow.ts';
import { createFunctions, type FailoverFunctions } from './functions.ts';
import { grantActing } from './grants.ts';
import { addOutcomeAlarms } from './outcome-alarms.ts';
import { addProbe } from './probe.ts';
import { addTriggers } from './triggers.ts';

export interface FailoverProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  access: Access;
  api: HttpApi;
  events: EventBus;
  deadLetters: Delivery;
  notifications: Notifications;
}

/** Writers that do not serve are noticed and replaced, once, by what has lost least. */
export class Failover extends Construct {
  readonly functions: FailoverFunctions;
  readonly workflow: Workflow;
  /** What has the shards probed; nothing where the deployment does not want that. */
  readonly schedule: Rule | undefined;
  /** What has failovers looked after. */
  readonly watchdog: Rule;

  constructor(scope: Construct, id: string, props: FailoverProps) {
    super(scope, id);
    const { settings, stateful } = props;
    this.functions = createFunctions(this, settings, stateful.network, props.deadLetters);
    this.schedule = addProbe(this, this.functions.probe, props);
    const { environment, config } = settings;
    const { api, operate, 'conclude-failover': conclude } = this.functions;
    this.workflow = new Workflow(this, 'Workflow', {
      environment,
      config,
      name: 'failover',
      definition: failoverDefinition(this.functions),
      functions: [operate, conclude],
    });
    grantActing(this.functions, this.workflow, props);
    this.watchdog = addTriggers(this, this.functions, this.workflow, props);
    props.api.addRoutes(failoverContract, api);
    addDetectionAlarms(this, this, this.functions.failover, props);
    addOutcomeAlarms(this, this.functions, props);
  }
}
