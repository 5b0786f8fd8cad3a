import { Stack, Validations } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference.js';
import type { IConstruct } from 'constructs';

/** Accepts findings of the security checks at one construct, each with the reason an auditor is given. */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  for (const [id, reason] of Object.entries(reasons)) {
    Validations.of(construct).acknowledge({ id, reason });
  }
}

/** Accepts findings of the policies that stand within a role, and not of those that are attached to it. */
export function acknowledgeInline(role: iam.Role, reasons: Record<string, string>): void {
  const resource = role.node.defaultChild;
  if (resource === undefined) throw new Error(`${role.node.path} has no role resource`);
  acknowledge(resource, reasons);
}

/**
 * Accepts one resource pattern in the policies of a role, and no other.
 *
 * The finding is named after the pattern as the template will hold it. References between stacks have that
 * form only after all constructs exist, so the name is made then.
 */
export function acknowledgeResource(role: IConstruct, resource: string, reason: string): void {
  role.node.addValidation({
    validate: () => {
      const pattern = flattenCfnReference(Stack.of(role).resolve(resource));
      acknowledge(role, { [`AwsSolutions-IAM5[Resource::${pattern}]`]: reason });
      return [];
    },
  });
}
