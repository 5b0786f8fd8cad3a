import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import { shardsContract } from '../../functions/shards/contract.ts';
import type { shardingSchema } from '../../functions/shards/sharding.ts';
import type { Access } from '../access/access.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { StatefulStack } from '../stateful-stack.ts';

export interface ShardsProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
}

/** Where keys live. */
export class Shards extends Construct {
  readonly apiFunction: BundledFunction;

  constructor(scope: Construct, id: string, { settings, stateful, api, access }: ShardsProps) {
    super(scope, id);
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: shardsContract,
      name: 'api',
      description: 'Serves the shards API',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    const { slots: _, ...sharding } = settings.config.sharding;
    const variable: z.input<typeof shardingSchema> = sharding;
    this.apiFunction.addEnvironment('SHARDING', JSON.stringify(variable));
    access.grantGate(this.apiFunction);
    stateful.tables.shards.grantRead(this.apiFunction);
    api.addRoutes(shardsContract, this.apiFunction);
  }
}
