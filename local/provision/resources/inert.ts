import {
  type ProvisionedResource,
  physicalName,
  type ResourceHandler,
  type ResourceRequest,
} from '../resource.ts';

/** Ids like `vpc-0a1b…`, the same at every start. */
function idOf(prefix: string) {
  return (request: ResourceRequest): ProvisionedResource => {
    const suffix = physicalName(request, 200).slice(-10);
    return { ref: `${prefix}-${suffix}`, attributes: { Id: `${prefix}-${suffix}` } };
  };
}

const named: ResourceHandler = (request) => {
  const name = physicalName(request, 255);
  return { ref: name, attributes: { Id: name } };
};

/**
 * Resources that have no effect on one machine: networks, dashboards, saved queries. They exist so that what refers to them resolves.
 */
export function inertResources(): Record<string, ResourceHandler> {
  return {
    'AWS::CDK::Metadata': named,
    'AWS::CloudWatch::Dashboard': named,
    'AWS::EC2::FlowLog': idOf('fl'),
    'AWS::EC2::RouteTable': withAttribute(idOf('rtb'), 'RouteTableId'),
    'AWS::EC2::SecurityGroup': withAttribute(idOf('sg'), 'GroupId'),
    'AWS::EC2::SecurityGroupEgress': idOf('sgr'),
    'AWS::EC2::SecurityGroupIngress': idOf('sgr'),
    'AWS::EC2::Subnet': withAttribute(idOf('subnet'), 'SubnetId'),
    'AWS::EC2::SubnetRouteTableAssociation': idOf('rtbassoc'),
    'AWS::EC2::VPC': (request) => {
      const vpc = withAttribute(idOf('vpc'), 'VpcId')(request);
      const attributes = {
        DefaultSecurityGroup: `sg-${vpc.ref.slice(4)}`,
        CidrBlock: request.properties.CidrBlock,
      };
      return { ref: vpc.ref, attributes: { ...vpc.attributes, ...attributes } };
    },
    'AWS::EC2::VPCEndpoint': idOf('vpce'),
    'AWS::Logs::QueryDefinition': withAttribute(idOf('query'), 'QueryDefinitionId'),
    'AWS::RDS::DBSubnetGroup': named,
  };
}

function withAttribute(handler: (request: ResourceRequest) => ProvisionedResource, name: string) {
  return (request: ResourceRequest): ProvisionedResource => {
    const resource = handler(request);
    return { ref: resource.ref, attributes: { ...resource.attributes, [name]: resource.ref } };
  };
}
