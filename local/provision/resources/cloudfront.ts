import { createPublicKey } from 'node:crypto';
import * as z from 'zod';
import { parseInput } from '../../aws/input.ts';
import type { CloudFront } from '../../cloudfront/cloudfront.ts';
import {
  cachePolicyProperties,
  distributionProperties,
  responseHeadersProperties,
} from '../../cloudfront/definition.ts';
import { physicalName, type ResourceHandler, type ResourceRequest } from '../resource.ts';

const originAccessProperties = z.strictObject({
  OriginAccessControlConfig: z.strictObject({
    Description: z.string().optional(),
    Name: z.string(),
    OriginAccessControlOriginType: z.literal('s3'),
    SigningBehavior: z.literal('always'),
    SigningProtocol: z.literal('sigv4'),
  }),
});
const publicKeyProperties = z.strictObject({
  PublicKeyConfig: z.strictObject({
    CallerReference: z.string(),
    Comment: z.string().optional(),
    EncodedKey: z.string(),
    Name: z.string(),
  }),
});
const keyGroupProperties = z.strictObject({
  KeyGroupConfig: z.strictObject({
    Comment: z.string().optional(),
    Items: z.array(z.string()).min(1),
    Name: z.string(),
  }),
});
const connectionGroupProperties = z.strictObject({
  Enabled: z.boolean().optional(),
  Ipv6Enabled: z.boolean().optional(),
  Name: z.string(),
  Tags: z.unknown().optional(),
});
const tenantProperties = z.strictObject({
  ConnectionGroupId: z.string().optional(),
  DistributionId: z.string(),
  Domains: z.array(z.string()).min(1),
  Enabled: z.boolean().default(true),
  Name: z.string(),
  Tags: z.unknown().optional(),
});

/** Distributions, their tenants, and the policies and keys they refer to. */
export function cloudFrontResources(cloudFront: CloudFront): Record<string, ResourceHandler> {
  const { book } = cloudFront;
  return {
    'AWS::CloudFront::CachePolicy': (request) => {
      const id = idOf(request);
      book.cachePolicies.set(id, parse(request, cachePolicyProperties).CachePolicyConfig);
      return { ref: id, attributes: { Id: id } };
    },
    'AWS::CloudFront::ResponseHeadersPolicy': (request) => {
      const id = idOf(request);
      book.headersPolicies.set(id, parse(request, responseHeadersProperties).ResponseHeadersPolicyConfig);
      return { ref: id, attributes: { Id: id } };
    },
    'AWS::CloudFront::OriginAccessControl': (request) => {
      parse(request, originAccessProperties);
      const id = `E${idOf(request)}`;
      return { ref: id, attributes: { Id: id } };
    },
    'AWS::CloudFront::PublicKey': (request) => {
      const { PublicKeyConfig } = parse(request, publicKeyProperties);
      const id = `K${idOf(request)}`;
      book.publicKeys.set(id, createPublicKey(PublicKeyConfig.EncodedKey));
      return { ref: id, attributes: { Id: id } };
    },
    'AWS::CloudFront::KeyGroup': (request) => {
      const id = idOf(request);
      book.keyGroups.set(id, parse(request, keyGroupProperties).KeyGroupConfig.Items);
      return { ref: id, attributes: { Id: id } };
    },
    'AWS::CloudFront::Distribution': (request) => {
      const { DistributionConfig: config } = parse(request, distributionProperties);
      const id = `E${idOf(request)}`;
      const arn = cloudFront.arnOf('distribution', id);
      book.addDistribution({ id, arn, config, createdAt: Date.now() });
      return { ref: id, attributes: { Id: id, DomainName: cloudFront.domainName } };
    },
    'AWS::CloudFront::ConnectionGroup': (request) => {
      const { Name } = parse(request, connectionGroupProperties);
      const id = `cg_${idOf(request)}`;
      const attributes = {
        Id: id,
        Arn: cloudFront.arnOf('connection-group', id),
        RoutingEndpoint: cloudFront.domainName,
      };
      return { ref: id, attributes: { ...attributes, Name } };
    },
    'AWS::CloudFront::DistributionTenant': (request) => {
      const properties = parse(request, tenantProperties);
      const id = `dt_${idOf(request)}`;
      const arn = cloudFront.arnOf('distribution-tenant', id);
      book.tenants.set(id, {
        ...{ id, arn, name: properties.Name, createdAt: Date.now(), enabled: properties.Enabled },
        distributionId: book.distribution(properties.DistributionId).id,
        connectionGroupId: properties.ConnectionGroupId,
        domains: properties.Domains.map((domain) => domain.toLowerCase()),
      });
      return { ref: id, attributes: { Id: id, Arn: arn } };
    },
  };
}

function parse<T>(request: ResourceRequest, schema: z.ZodType<T>): T {
  return parseInput(request.type, schema, request.properties);
}

/** Like the ids that CloudFront makes, and the same at every start. */
function idOf(request: ResourceRequest): string {
  return physicalName(request, 200).slice(-10).toUpperCase();
}
