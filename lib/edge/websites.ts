import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { Website } from '../config/edge.ts';

export interface WebsitesProps {
  /** Name of the environment. */
  environment: string;
  /** The multi-tenant distribution. */
  distribution: cloudfront.IDistribution;
  websites: readonly Website[];
  /** Gets the records of the domains, where it is given. */
  zone: route53.IHostedZone | undefined;
}

/** Websites as distribution tenants of one distribution: domains, certificate and cache of each are its own. */
export class Websites extends Construct {
  /** Where the DNS records of all the domains lead. */
  readonly routingEndpoint: string;

  constructor(scope: Construct, id: string, { environment, distribution, websites, zone }: WebsitesProps) {
    super(scope, id);
    const group = new cloudfront.CfnConnectionGroup(this, 'Connections', {
      name: `mainstay-${environment}`,
      enabled: true,
      ipv6Enabled: true,
    });
    this.routingEndpoint = group.attrRoutingEndpoint;
    const target = route53.RecordTarget.fromAlias({
      bind: () => ({
        hostedZoneId: CloudFrontTarget.CLOUDFRONT_ZONE_ID,
        dnsName: group.attrRoutingEndpoint,
      }),
    });
    for (const { name, domains, certificateArn } of websites) {
      new cloudfront.CfnDistributionTenant(this, name, {
        name,
        distributionId: distribution.distributionId,
        connectionGroupId: group.attrId,
        domains: [...domains],
        enabled: true,
        ...(certificateArn !== undefined && { customizations: { certificate: { arn: certificateArn } } }),
      });
      if (zone === undefined) continue;
      for (const domain of domains) {
        const record = { zone, recordName: `${domain}.`, target };
        new route53.ARecord(this, `Ipv4-${domain}`, record);
        new route53.AaaaRecord(this, `Ipv6-${domain}`, record);
      }
    }
  }
}
