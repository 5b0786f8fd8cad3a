import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';
import { contracts } from '../functions/contracts.ts';
import type { CdnConfig } from './config/cdn.ts';
import type { EdgeConfig } from './config/edge.ts';
import { certificateOf, hostedZoneOf } from './constructs/domain.ts';
import type { HttpApi } from './constructs/http-api.ts';
import { AccessLogs } from './edge/access-log.ts';
import { apiPatterns } from './edge/api-patterns.ts';
import { Distribution } from './edge/distribution.ts';
import { Firewall } from './edge/firewall.ts';
import { Signing } from './edge/signing.ts';
import { Websites } from './edge/websites.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface EdgeStackProps extends StackProps {
  /** Name of the environment. */
  environment: string;
  edge: EdgeConfig;
  /** Whether query strings are logged. */
  queryStrings: CdnConfig['queryStrings'];
  stateful: StatefulStack;
  api: HttpApi;
}

/** What stands in front of files and API: certificate, firewall, distribution, access log, DNS records. */
export class EdgeStack extends Stack {
  readonly distributionId: string;
  /** Host name that CloudFront gives the distribution. */
  readonly domainName: string;
  /** Id of the key that signed URLs name, where files are behind signatures. */
  readonly signingKeyId: string | undefined;

  constructor(scope: Construct, id: string, props: EdgeStackProps) {
    const { environment, edge, queryStrings, stateful, api, ...rest } = props;
    super(scope, id, rest);
    const zone = hostedZoneOf(this, edge);
    const firewall = edge.firewall
      ? new Firewall(this, 'Firewall', { environment, requestsPer5Minutes: edge.requestsPer5Minutes })
      : undefined;
    const domains = [...edge.domains, ...edge.websites.flatMap((website) => website.domains)];
    // Websites may have certificates of theirs, all of them.
    const shared =
      edge.websites.length === 0 || edge.websites.some((website) => website.certificateArn === undefined);
    const signing = edge.signing && new Signing(this, 'Signing', edge.signing);
    const { distribution } = new Distribution(this, 'Cdn', {
      environment,
      config: edge,
      ...(domains.length > 0 && shared && { certificate: certificateOf(this, domains, edge, zone) }),
      assets: stateful.buckets.assets,
      apiHost: api.host,
      apiPatterns: apiPatterns(contracts),
      ...(firewall !== undefined && { firewallArn: firewall.arn }),
      ...(edge.signing &&
        signing && { signing: { paths: edge.signing.paths, keyGroups: [signing.keyGroup] } }),
    });
    this.distributionId = distribution.distributionId;
    this.domainName = distribution.distributionDomainName;
    const { bucket } = stateful.buckets.edgeLogs;
    this.signingKeyId = signing?.keyId;
    new AccessLogs(this, 'AccessLog', {
      ...{ name: `mainstay-${environment}`, bucket, queryStrings },
      distributions: new Map([['edge', distribution.distributionArn]]),
    });
    if (zone !== undefined) {
      const target = route53.RecordTarget.fromAlias(new CloudFrontTarget(distribution));
      for (const domain of edge.domains) {
        const record = { zone, recordName: `${domain}.`, target };
        new route53.ARecord(this, `Ipv4-${domain}`, record);
        new route53.AaaaRecord(this, `Ipv6-${domain}`, record);
      }
    }
    if (edge.websites.length > 0) {
      const { websites } = edge;
      const { routingEndpoint } = new Websites(this, 'Websites', {
        environment,
        distribution,
        websites,
        zone,
      });
      new CfnOutput(this, 'RoutingEndpoint', {
        value: routingEndpoint,
        description: 'Where the DNS records of the websites lead',
      });
    }
    if (signing !== undefined) {
      new CfnOutput(this, 'SigningKeyId', {
        value: signing.keyId,
        description: 'Id of the public key, which signed URLs name',
      });
    }
    new CfnOutput(this, 'DistributionId', { value: distribution.distributionId });
    new CfnOutput(this, 'DistributionDomainName', {
      value: distribution.distributionDomainName,
      description: 'Where the DNS records of the domains lead',
    });
  }
}
