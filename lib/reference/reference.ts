import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { referenceContract } from '../../functions/reference/contract.ts';
import type { Access } from '../access/access.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import { version } from '../version.ts';

export interface ReferenceProps {
  settings: FunctionSettings;
  api: HttpApi;
  access: Access;
}

/** The API's description, its documentation, and the answer to every request that no route matches. */
export class Reference extends Construct {
  readonly apiFunction: BundledFunction;

  constructor(scope: Construct, id: string, { settings, api, access }: ReferenceProps) {
    super(scope, id);
    this.apiFunction = new BundledFunction(this, 'Api', {
      settings,
      contract: referenceContract,
      name: 'api',
      description: 'Serves the description of the API, and 404 for everything unknown',
      memoryMiB: 512,
      timeout: Duration.seconds(10),
    });
    this.apiFunction.addEnvironment('MAINSTAY_VERSION', version);
    access.grantOpenGate(this.apiFunction);
    api.addRoutes(referenceContract, this.apiFunction);
  }
}
