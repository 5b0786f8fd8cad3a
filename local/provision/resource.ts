import { createHash } from 'node:crypto';
import type { Assembly } from '../assembly/assembly.ts';

/** One resource of a template, with everything resolved that it refers to. */
export interface ResourceRequest {
  stackName: string;
  logicalId: string;
  type: string;
  properties: Record<string, unknown>;
  assembly: Assembly;
}

/** What a created resource gives to the rest of the template. */
export interface ProvisionedResource {
  /** The value of `Ref`. */
  ref: string;
  /** The values of `Fn::GetAtt`, by attribute name (`Arn`, `Endpoint.Address`). */
  attributes?: Record<string, unknown>;
}

/**
 * Creates a resource, or finds it as an earlier run left it: handlers run at every start and must
 * come to the same names each time.
 */
export type ResourceHandler = (
  request: ResourceRequest,
) => ProvisionedResource | Promise<ProvisionedResource>;

/**
 * The physical name of a resource that its template leaves unnamed: like CloudFormation's, made of
 * stack, logical id and a suffix, but the same at every start.
 *
 * @param maxLength the longest name the service takes, 63 by default.
 */
export function physicalName(
  request: Pick<ResourceRequest, 'stackName' | 'logicalId'>,
  maxLength = 63,
): string {
  const suffix = createHash('sha256')
    .update(`${request.stackName}/${request.logicalId}`)
    .digest('hex')
    .slice(0, 10);
  const name = `${request.stackName}-${request.logicalId}`.slice(0, maxLength - suffix.length - 1);
  return `${name}-${suffix}`;
}
