import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { contracts } from '../../functions/contracts.ts';
import { synthesizeUnchecked } from './support.ts';

const certificate = `arn:aws:acm:us-east-1:111122223333:certificate/${'0'.repeat(8)}`;
const zone = { id: 'Z0123456789EXAMPLE', name: 'example.com' };
const settings = {
  profile: 'production',
  region: 'eu-central-1',
  edge: { domains: ['www.example.com', 'example.com'], hostedZone: zone, requestsPer5Minutes: 77 },
  api: { domain: { name: 'api.example.com', hostedZone: zone } },
};
const { stack, stateful, platform } = synthesizeUnchecked('production', settings);
const { template, resources } = stack('Edge');

const behaviorSchema = z.looseObject({
  PathPattern: z.string(),
  TargetOriginId: z.string(),
  ViewerProtocolPolicy: z.string(),
  CachePolicyId: z.unknown(),
});
const { DistributionConfig: distribution } = z
  .object({
    DistributionConfig: z.looseObject({
      CacheBehaviors: z.array(behaviorSchema),
      DefaultCacheBehavior: z.looseObject({ TargetOriginId: z.string() }),
      Origins: z.array(z.looseObject({ Id: z.string() })),
    }),
  })
  .parse(Object.values(resources).find(({ Type }) => Type === 'AWS::CloudFront::Distribution')?.Properties);

/** The behavior that CloudFront takes for a path: the first whose pattern matches. */
function behaviorFor(path: string) {
  return distribution.CacheBehaviors.find(({ PathPattern }) =>
    new RegExp(`^${PathPattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(path),
  );
}

describe('The distribution', () => {
  it('answers under its domains with TLS 1.2 and newer, HTTP/2 and HTTP/3', () => {
    expect(distribution).toMatchObject({
      Aliases: ['www.example.com', 'example.com'],
      HttpVersion: 'http2and3',
      ViewerCertificate: { MinimumProtocolVersion: 'TLSv1.2_2021', SslSupportMethod: 'sni-only' },
    });
  });

  it('sends every route of the contracts to the API, never caches it, and takes no plain HTTP for it', () => {
    const apiOrigin = distribution.Origins.find((origin) => 'CustomOriginConfig' in origin);
    expect(apiOrigin).toMatchObject({
      DomainName: 'api.example.com',
      CustomOriginConfig: { OriginProtocolPolicy: 'https-only' },
    });
    for (const { path } of contracts.flatMap(({ routes }) => Object.values(routes))) {
      expect(behaviorFor(path.replaceAll(/\{\w+\}/g, 'x.html'))).toMatchObject({
        TargetOriginId: apiOrigin?.Id,
        ViewerProtocolPolicy: 'https-only',
        // AWS's own policy CachingDisabled.
        CachePolicyId: '4135ea2d-6df8-44a3-9df3-4b5a84be39ad',
      });
    }
  });

  it('serves all else from the assets bucket, which nobody reads but distributions of this account', () => {
    const files = distribution.Origins.find(
      ({ Id }) => Id === distribution.DefaultCacheBehavior.TargetOriginId,
    );
    expect(files).toMatchObject({
      DomainName: {
        'Fn::GetStackOutput': { StackName: 'Mainstay-production-Stateful', Region: 'eu-central-1' },
      },
      OriginAccessControlId: expect.anything(),
    });
    stateful.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'cloudfront.amazonaws.com' },
            Action: 's3:GetObject',
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': Match.anyValue() },
            },
          }),
        ]),
      },
    });
  });

  it.each([
    ['/static/app.3f9a.js', 31_536_000, 31_536_000],
    ['/media/clip.mp4', 2_592_000, 2_592_000],
    ['/news/today.html', 3600, 3600],
    ['/robots.txt', 3600, 86_400],
  ])('keeps %s for %i seconds, and for %i at most', (path, defaultTtl, maxTtl) => {
    const behavior = behaviorFor(path) ?? distribution.DefaultCacheBehavior;
    const { Ref } = z.object({ Ref: z.string() }).parse(behavior.CachePolicyId);
    expect(resources[Ref]?.Properties.CachePolicyConfig).toMatchObject({
      DefaultTTL: defaultTtl,
      MaxTTL: maxTtl,
      ParametersInCacheKeyAndForwardedToOrigin: {
        CookiesConfig: { CookieBehavior: 'none' },
        QueryStringsConfig: { QueryStringBehavior: 'none' },
        EnableAcceptEncodingBrotli: true,
        EnableAcceptEncodingGzip: true,
      },
    });
    expect(behavior).toMatchObject({ Compress: true, ViewerProtocolPolicy: 'redirect-to-https' });
  });

  it('tells browsers to insist on HTTPS and not to guess types', () => {
    template.allResourcesProperties('AWS::CloudFront::ResponseHeadersPolicy', {
      ResponseHeadersPolicyConfig: Match.objectLike({
        SecurityHeadersConfig: Match.objectLike({
          StrictTransportSecurity: Match.objectLike({ AccessControlMaxAgeSec: 31_536_000 }),
          ContentTypeOptions: { Override: true },
        }),
      }),
    });
  });

  it('logs every request to a bucket that only the log delivery writes to', () => {
    template.hasResourceProperties('AWS::Logs::DeliverySource', { LogType: 'ACCESS_LOGS' });
    template.hasResource('AWS::Logs::Delivery', {
      Properties: { DeliverySourceName: 'mainstay-production-edge' },
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('^AccessLogSource')]),
    });
    template.hasResourceProperties('AWS::Logs::DeliveryDestination', {
      DestinationResourceArn: {
        'Fn::GetStackOutput': Match.objectLike({
          StackName: 'Mainstay-production-Stateful',
          OutputName: Match.stringLikeRegexp('EdgeLogs'),
        }),
      },
    });
    // Not in the region of the distribution, but where its lines are counted.
    stateful.template.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LifecycleConfiguration: {
        Rules: Match.arrayWith([Match.objectLike({ Prefix: 'AWSLogs/', ExpirationInDays: 365 })]),
      },
    });
    stateful.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'delivery.logs.amazonaws.com' },
            Action: 's3:PutObject',
          }),
        ]),
      },
    });
  });
});

describe('Websites of tenants', () => {
  const edge = {
    hostedZone: zone,
    websites: [
      { name: 'red', domains: ['red.example.com', 'www.red.example.com'] },
      { name: 'blue', domains: ['blue.example.com'], certificateArn: certificate },
    ],
  };

  it('are distribution tenants of one distribution that serves nobody else', () => {
    const { template: tenants } = synthesizeUnchecked('production', { ...settings, edge }).stack('Edge');
    tenants.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({
        ConnectionMode: 'tenant-only',
        Aliases: Match.absent(),
        PriceClass: Match.absent(),
        IPV6Enabled: Match.absent(),
        ViewerCertificate: Match.objectLike({ MinimumProtocolVersion: 'TLSv1.2_2021' }),
      }),
    });
    for (const { name, domains, certificateArn } of edge.websites) {
      tenants.hasResourceProperties('AWS::CloudFront::DistributionTenant', {
        Name: name,
        Domains: domains,
        Customizations:
          certificateArn === undefined ? Match.absent() : { Certificate: { Arn: certificateArn } },
      });
    }
    tenants.hasResourceProperties('AWS::Route53::RecordSet', {
      Name: 'red.example.com.',
      AliasTarget: { DNSName: { 'Fn::GetAtt': [Match.stringLikeRegexp('Connections'), 'RoutingEndpoint'] } },
    });
  });

  it.each([
    [{ ...edge, domains: ['www.example.com'] }, /domains or websites, not both/],
    [{ ...edge, websites: [...edge.websites, edge.websites[0]] }, /red is there twice/],
    [{ websites: edge.websites }, /needs a certificate/],
  ])('are refused where they contradict what else is said: %j', (wrong, message) => {
    expect(() => synthesizeUnchecked('production', { ...settings, edge: wrong })).toThrow(message);
  });
});

describe('The access log', () => {
  const fieldsOf = (settings: object, name: string) =>
    Object.values(synthesizeUnchecked('production', settings).stack(name).resources)
      .filter(({ Type }) => Type === 'AWS::Logs::Delivery')
      .map(({ Properties }) => z.array(z.string()).parse(Properties.RecordFields));

  it('says whose website a request was for, nothing of cookies, and query strings where they matter alone', () => {
    const [fields = []] = fieldsOf(settings, 'Edge');
    expect(fields).toEqual(expect.arrayContaining(['x-host-header', 'distribution-tenant-id', 'c-country']));
    for (const name of ['cs(Cookie)', 'cs-uri-query', 'cs(Referer)']) expect(fields).not.toContain(name);
    const [kept = []] = fieldsOf({ ...settings, cdn: { queryStrings: 'kept' } }, 'Edge');
    expect(kept).toEqual([...fields, 'cs-uri-query', 'cs(Referer)']);
  });

  it('of distributions that were there before is delivered where that is asked for, one delivery after the other', () => {
    const provider = {
      ...{ kind: 'cloudfront', domain: 'www.example.com', distributionId: 'E1', accessLogs: true },
      websites: [{ website: 'red.example.com', tenant: 'red', id: 'E2' }],
    };
    const adopted = synthesizeUnchecked('production', { region: 'eu-central-1', cdn: { provider } });
    const { template: logs, resources: delivered } = adopted.stack('EdgeLogs');
    for (const id of provider.websites.map((website) => website.id).concat('E1')) {
      logs.hasResourceProperties('AWS::Logs::DeliverySource', {
        ResourceArn: { 'Fn::Join': ['', Match.arrayWith([`:distribution/${id}`])] },
      });
    }
    const deliveries = Object.values(delivered).filter(({ Type }) => Type === 'AWS::Logs::Delivery');
    expect(deliveries.map(({ DependsOn }) => [DependsOn].flat().length).sort()).toEqual([1, 2]);
    adopted.stateful.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Sid: 'LogDeliveryWrites' })]) },
    });
    adopted.stack('Cdn').template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({ CDN_WEBSITES: Match.stringLikeRegexp('"red.example.com":"red"') }),
      },
    });
  });
});

describe('What is counted of logs', () => {
  it('has room for so many logs at once where the account has, and knows tenants by what is configured anyway', () => {
    const edge = { hostedZone: zone, websites: [{ name: 'red', domains: ['www.red.example.com'] }] };
    const of = (more: object) =>
      synthesizeUnchecked('production', { ...settings, edge, ...more }).stack('Cdn').template;
    const ingest = (found: Record<string, unknown>) => ({
      Description: 'Counts a log of the edge',
      ...found,
    });
    const websites = { patterns: [], hosts: { 'www.red.example.com': 'red' }, distributionTenants: {} };
    of({ lambdaConcurrency: 110 }).hasResourceProperties(
      'AWS::Lambda::Function',
      ingest({
        ReservedConcurrentExecutions: 10,
        Environment: { Variables: Match.objectLike({ CDN_WEBSITES: JSON.stringify(websites) }) },
      }),
    );
    const usual = synthesizeUnchecked('production', settings).stack('Cdn').template;
    usual.hasResourceProperties(
      'AWS::Lambda::Function',
      ingest({ ReservedConcurrentExecutions: Match.absent() }),
    );
    expect(() => of({ lambdaConcurrency: 100, cdn: { analytics: { logConcurrency: 1 } } })).toThrow(
      /logConcurrency: needs a lambdaConcurrency of 101/,
    );
  });
});

describe('Files behind signatures', () => {
  it('are served by a trusted key group alone, and go before the patterns of other files', () => {
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const signing = { publicKey, paths: ['/private/*'] };
    const privateKeySecretArn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:key';
    const cdn = { signing: { privateKeySecretArn } };
    const own = { region: 'us-east-1', edge: { signing } };
    const app = synthesizeUnchecked('dev', { ...own, cdn });
    const signed = app.stack('Edge').template;
    // The API learns the key's id by itself.
    const variables = JSON.stringify(app.stack('Cdn').template.findResources('AWS::Lambda::Function'));
    expect(variables).toMatch(/"CDN_SIGNING":\{"Fn::Join".{0,80}publicKeyId.{0,200}SigningKey/);
    expect(() => synthesizeUnchecked('dev', { cdn })).toThrow(/signing\.publicKeyId: is needed unless/);
    signed.hasResourceProperties('AWS::CloudFront::PublicKey', {
      PublicKeyConfig: Match.objectLike({ EncodedKey: publicKey }),
    });
    signed.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: Match.objectLike({
        CacheBehaviors: Match.arrayWith([
          Match.objectLike({
            PathPattern: '/private/*',
            TrustedKeyGroups: [{ Ref: Match.stringLikeRegexp('SigningGroup') }],
          }),
          Match.objectLike({ PathPattern: '/static/*', TrustedKeyGroups: Match.absent() }),
        ]),
      }),
    });
  });
});

describe('An edge without a domain', () => {
  const unnamed = { region: 'us-east-1', edge: {} };

  it('answers under the name that CloudFront gives it, in development', () => {
    synthesizeUnchecked('dev', unnamed)
      .stack('Edge')
      .template.hasResourceProperties('AWS::CloudFront::Distribution', {
        DistributionConfig: Match.objectLike({
          Aliases: Match.absent(),
          ViewerCertificate: Match.absent(),
          CacheTagConfig: { HeaderName: 'x-amz-meta-cache-tag' },
        }),
      });
  });

  it('is refused in production, where TLS 1.2 is asked for', () => {
    expect(() => synthesizeUnchecked('production', { ...unnamed, profile: 'production' })).toThrow(
      /edge\.domains: name at least one/,
    );
  });
});

describe('The firewall', () => {
  it('blocks an address that asks too often, bad addresses and known attacks', () => {
    template.hasResourceProperties('AWS::WAFv2::WebACL', {
      Scope: 'CLOUDFRONT',
      Rules: [
        Match.objectLike({ Statement: { RateBasedStatement: { Limit: 77, AggregateKeyType: 'IP' } } }),
        ...['AmazonIpReputationList', 'KnownBadInputsRuleSet', 'CommonRuleSet'].map((name) =>
          Match.objectLike({ Name: `AWSManagedRules${name}` }),
        ),
      ],
    });
  });

  it('is not there when it is switched off', () => {
    const edge = { ...settings.edge, firewall: false };
    const without = synthesizeUnchecked('production', { ...settings, edge }).stack('Edge');
    without.template.resourceCountIs('AWS::WAFv2::WebACL', 0);
  });
});

describe('Domains', () => {
  it('have a certificate that their hosted zone validates, and records that lead to the distribution', () => {
    template.hasResourceProperties('AWS::CertificateManager::Certificate', {
      DomainName: 'www.example.com',
      SubjectAlternativeNames: ['example.com'],
      ValidationMethod: 'DNS',
      DomainValidationOptions: Match.arrayWith([
        { DomainName: 'www.example.com', HostedZoneId: 'Z0123456789EXAMPLE' },
      ]),
    });
    for (const Name of ['www.example.com.', 'example.com.']) {
      for (const Type of ['A', 'AAAA'])
        template.hasResourceProperties('AWS::Route53::RecordSet', { Name, Type });
    }
  });

  it('of the API take the place of its execute-api address', () => {
    platform.template.hasResourceProperties('AWS::ApiGatewayV2::Api', { DisableExecuteApiEndpoint: true });
    platform.template.hasResourceProperties('AWS::ApiGatewayV2::DomainName', {
      DomainName: 'api.example.com',
      DomainNameConfigurations: [Match.objectLike({ SecurityPolicy: 'TLS_1_2' })],
    });
    platform.template.resourceCountIs('AWS::ApiGatewayV2::ApiMapping', 1);
    platform.template.hasOutput('ApiUrl', { Value: 'https://api.example.com' });
  });
});
