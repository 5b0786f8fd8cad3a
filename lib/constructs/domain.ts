import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { DomainSource } from '../config/domain.ts';

/** The hosted zone that the configuration names; none where it names none. */
export function hostedZoneOf(
  scope: Construct,
  { hostedZone }: DomainSource,
): route53.IHostedZone | undefined {
  return hostedZone === undefined
    ? undefined
    : route53.HostedZone.fromHostedZoneAttributes(scope, 'Zone', {
        hostedZoneId: hostedZone.id,
        zoneName: hostedZone.name,
      });
}

/** The certificate of some domains: the existing one, or a new one that records in their zone validate. */
export function certificateOf(
  scope: Construct,
  domains: readonly string[],
  { certificateArn }: DomainSource,
  zone: route53.IHostedZone | undefined,
): acm.ICertificate {
  if (certificateArn !== undefined) {
    return acm.Certificate.fromCertificateArn(scope, 'Certificate', certificateArn);
  }
  const [first, ...others] = domains;
  if (first === undefined) throw new Error(`${scope.node.path} has no domain`);
  return new acm.Certificate(scope, 'Certificate', {
    domainName: first,
    subjectAlternativeNames: others,
    validation: acm.CertificateValidation.fromDns(zone),
  });
}
