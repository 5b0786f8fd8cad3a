import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import { shardsContract } from '../../functions/shards/contract.ts';
import type { shardingSchema } from '../../functions/shards/sharding.ts';
import type { Access } from '../access/access.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { addBalance } from './balance.ts';
import { ShardHealth } from './health.ts';
import { ShardMaintenance } from './maintenance.ts';
import { addMemoryAlarms } from './memory-alarms.ts';

export interface ShardsProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
  deadLetters: Delivery;
  notifications: Notifications;
}

/** Where keys live, how the shards stand and how even they are. */
export class Shards extends Construct {
  readonly apiFunction: BundledFunction;
  readonly health: ShardHealth;

  constructor(scope: Construct, id: string, props: ShardsProps) {
    super(scope, id);
    const { settings, stateful, api, access } = props;
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: shardsContract,
      name: 'api',
      description: 'Serves the shards API',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    const { slots: _, balance: __, ...sharding } = settings.config.sharding;
    const variable: z.input<typeof shardingSchema> = sharding;
    this.apiFunction.addEnvironment('SHARDING', JSON.stringify(variable));
    access.grantGate(this.apiFunction);
    stateful.tables.shards.grantRead(this.apiFunction);
    stateful.tables.shards.grantItems(this.apiFunction, ['dynamodb:UpdateItem'], ['MAP']);
    this.health = new ShardHealth(this, 'Health', props);
    new ShardMaintenance(this, 'Maintenance', props);
    addMemoryAlarms(this, settings, stateful.shards, props.notifications);
    this.health.grantLook(this.apiFunction, settings);
    addBalance(this, this.apiFunction, props);
    api.addRoutes(shardsContract, this.apiFunction);
  }
}
