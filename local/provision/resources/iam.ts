import * as z from 'zod';
import { physicalName, type ResourceHandler } from '../resource.ts';
import type { RoleBook } from '../role-book.ts';

const inlinePolicy = z.object({ PolicyName: z.string(), PolicyDocument: z.unknown() });
const roleProperties = z.looseObject({
  RoleName: z.string().optional(),
  AssumeRolePolicyDocument: z.unknown(),
  ManagedPolicyArns: z.array(z.string()).default([]),
  Policies: z.array(inlinePolicy).default([]),
});
const policyProperties = z.looseObject({
  PolicyName: z.string().optional(),
  PolicyDocument: z.unknown(),
  Roles: z.array(z.string()).default([]),
});

/** Roles and the policies attached to them. */
export function iamResources(roles: RoleBook): Record<string, ResourceHandler> {
  return {
    'AWS::IAM::Role': (request) => {
      const properties = roleProperties.parse(request.properties);
      const name = properties.RoleName ?? physicalName(request);
      roles.create(name, {
        trust: properties.AssumeRolePolicyDocument,
        inline: Object.fromEntries(
          properties.Policies.map((policy) => [policy.PolicyName, policy.PolicyDocument]),
        ),
        managedArns: properties.ManagedPolicyArns,
      });
      return { ref: name, attributes: { Arn: roles.arnOf(name), RoleId: `AROA${name}` } };
    },
    'AWS::IAM::Policy': (request) => {
      const properties = policyProperties.parse(request.properties);
      const key = `${request.stackName}/${request.logicalId}`;
      for (const role of properties.Roles) roles.attach(role, key, properties.PolicyDocument);
      return { ref: physicalName(request), attributes: { Id: physicalName(request) } };
    },
    'AWS::IAM::ManagedPolicy': (request) => {
      const properties = policyProperties.parse(request.properties);
      const key = `${request.stackName}/${request.logicalId}`;
      for (const role of properties.Roles) roles.attach(role, key, properties.PolicyDocument);
      return { ref: key };
    },
  };
}
