import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { cdnContract } from '../../functions/cdn/contract.ts';
import type { Access } from '../access/access.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { StatefulStack } from '../stateful-stack.ts';

export interface CdnProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
}

/** What is known about the edge, and what is done to it. */
export class Cdn extends Construct {
  readonly apiFunction: BundledFunction;

  constructor(scope: Construct, id: string, { settings, stateful, api, access }: CdnProps) {
    super(scope, id);
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: cdnContract,
      name: 'api',
      description: 'Serves the CDN API',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    access.grantGate(this.apiFunction);
    stateful.tables.cdn.grantReadWrite(this.apiFunction);
    api.addRoutes(cdnContract, this.apiFunction);
  }
}
