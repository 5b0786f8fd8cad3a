import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { ApiGatewayv2DomainProperties } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { certificateOf, hostedZoneOf } from './domain.ts';

export type ApiDomainProps = NonNullable<DeploymentConfig['api']['domain']>;

/** The API's own host name: its certificate, and its record where the configuration names a hosted zone. */
export class ApiDomain extends Construct {
  readonly name: string;
  readonly domain: apigatewayv2.DomainName;

  constructor(scope: Construct, id: string, props: ApiDomainProps) {
    super(scope, id);
    this.name = props.name;
    const zone = hostedZoneOf(this, props);
    this.domain = new apigatewayv2.DomainName(this, 'Name', {
      domainName: props.name,
      certificate: certificateOf(this, [props.name], props, zone),
      securityPolicy: apigatewayv2.SecurityPolicy.TLS_1_2,
    });
    if (zone === undefined) return;
    new route53.ARecord(this, 'Record', {
      zone,
      recordName: `${props.name}.`,
      target: route53.RecordTarget.fromAlias(
        new ApiGatewayv2DomainProperties(this.domain.regionalDomainName, this.domain.regionalHostedZoneId),
      ),
    });
  }
}
