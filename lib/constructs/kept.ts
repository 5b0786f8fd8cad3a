import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * What holds data stays when it leaves its stack, but a creation that is rolled back takes it along: a cluster that
 * stayed behind a failed first deployment would have the name that the next one needs.
 */
export const kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** Keeps all resources of these types below a construct, for constructs of the CDK that pass the policy on to some. */
export function keepAll(scope: IConstruct, types: readonly string[]): void {
  for (const child of scope.node.findAll()) {
    if (CfnResource.isCfnResource(child) && types.includes(child.cfnResourceType))
      child.applyRemovalPolicy(kept);
  }
}
