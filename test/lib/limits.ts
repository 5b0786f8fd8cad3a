import * as z from 'zod';
import type { Resource } from './support.ts';
import { flatten } from './template.ts';

/** Names that are no names of what the resource itself is, or that count within another resource alone. */
const notItsOwn = new Set([
  'AWS::ApiGatewayV2::DomainName.DomainName',
  'AWS::ApiGatewayV2::Stage.StageName',
  'AWS::CertificateManager::Certificate.DomainName',
  'AWS::CloudWatch::Alarm.MetricName',
  'AWS::CodeDeploy::DeploymentGroup.DeploymentConfigName',
  'AWS::EC2::VPCEndpoint.ServiceName',
  // An inline policy belongs to its role.
  'AWS::IAM::Policy.PolicyName',
  'AWS::Lambda::Alias.Name',
  'AWS::RDS::DBCluster.DatabaseName',
  // The domain is configured, and belongs to one environment.
  'AWS::Route53::RecordSet.Name',
]);
const named = /^(\w*Name|\w*Identifier)$/;

/** The names that a template gives its resources itself, as `type name`: no two of a kind may be the same in an account. */
export function namesIn(resources: Record<string, Resource>): string[] {
  return Object.values(resources).flatMap(({ Type, Properties }) =>
    [Properties, ...configurations(Properties)].flatMap((properties) =>
      Object.entries(properties).flatMap(([key, value]) =>
        named.test(key) && typeof value === 'string' && !notItsOwn.has(`${Type}.${key}`)
          ? [`${Type} ${value}`]
          : [],
      ),
    ),
  );
}

/** CloudFront's policies have all their properties, their name included, in one called `…Config`. */
function configurations(properties: Record<string, unknown>): Record<string, unknown>[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const config = z.record(z.string(), z.unknown()).safeParse(value);
    return key.endsWith('Config') && config.success ? [config.data] : [];
  });
}

const policySchema = z.looseObject({
  Roles: z.array(z.object({ Ref: z.string() })),
  PolicyDocument: z.unknown(),
});

/** The characters of all inline policies of each role, with 60 for each reference: what IAM counts, or a little more. */
export function policySizes(resources: Record<string, Resource>): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { Type, Properties } of Object.values(resources)) {
    if (Type !== 'AWS::IAM::Policy') continue;
    const { Roles, PolicyDocument } = policySchema.parse(Properties);
    const size = JSON.stringify(resolved(PolicyDocument)).length;
    for (const { Ref } of Roles) sizes.set(Ref, (sizes.get(Ref) ?? 0) + size);
  }
  return sizes;
}

/** Whole ARNs are at most about 120 characters, ids and names within one about 60. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const [key] = Object.keys(value);
  if (key === 'Fn::Join')
    return flatten(value)
      .replaceAll(/<AWS::\w+>/g, '<region-or-account>')
      .replaceAll(/<[^>]*>/g, (reference) => '-'.repeat(reference.startsWith('<region') ? 14 : 60));
  if (key === 'Ref' || key?.startsWith('Fn::')) return '-'.repeat(120);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolved(member)]));
}
