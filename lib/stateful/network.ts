import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { bucketInterface, vpcInterface } from '../constructs/interfaces.ts';

/** Address range of a new VPC when the configuration names none. */
const defaultCidr = '10.42.0.0/16';

export interface NetworkProps {
  config: DeploymentConfig['network'];
  /** Where the flow log goes. */
  logs: s3.Bucket;
}

/**
 * Where databases live and from where functions reach them: isolated subnets in two zones, no route to the
 * internet. S3 and DynamoDB are reached by gateway endpoints, KMS by an interface endpoint.
 */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  /** What functions carry; clusters let it in. */
  readonly clients: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { config, logs }: NetworkProps) {
    super(scope, id);
    const adopted = config.adopt;
    if (adopted === undefined) {
      const vpc = this.createVpc(config, logs);
      this.vpc = vpcInterface(vpc);
      this.subnets = { subnets: vpc.isolatedSubnets };
    } else {
      this.vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: adopted.vpcId,
        availabilityZones: adopted.availabilityZones,
        isolatedSubnetIds: adopted.subnetIds,
      });
      this.subnets = { subnets: this.vpc.isolatedSubnets };
    }
    this.clients = new ec2.SecurityGroup(this, 'Clients', {
      vpc: this.vpc,
      description: 'Functions that reach the databases',
      allowAllOutbound: false,
    });
    this.clients.addEgressRule(
      ec2.Peer.anyIpv4(),
      ec2.Port.tcp(443),
      'S3, DynamoDB and KMS through endpoints',
    );
    if (adopted === undefined) this.addKmsEndpoint(config.endpointZones);
  }

  private createVpc(config: DeploymentConfig['network'], logs: s3.Bucket): ec2.Vpc {
    const cidr = config.cidr ?? defaultCidr;
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      maxAzs: 2,
      natGateways: 0,
      // The CDK would bring a function of its own for this. Nothing here uses the default group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        {
          name: 'Isolated',
          subnetType: ec2.SubnetType.PRIVATE_ISOLATED,
          // A quarter of a quarter each: room for further subnets without renumbering these.
          cidrMask: Number(cidr.split('/')[1]) + 4,
        },
      ],
      gatewayEndpoints: {
        S3: { service: ec2.GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: ec2.GatewayVpcEndpointAwsService.DYNAMODB },
      },
    });
    vpc.addFlowLog('FlowLog', {
      destination: ec2.FlowLogDestination.toS3(bucketInterface(logs), 'vpc/'),
      trafficType: config.flowLogs === 'ALL' ? ec2.FlowLogTrafficType.ALL : ec2.FlowLogTrafficType.REJECT,
    });
    return vpc;
  }

  private addKmsEndpoint(zones: number): void {
    const group = new ec2.SecurityGroup(this, 'KmsEndpointGroup', {
      vpc: this.vpc,
      description: 'Interface endpoint of KMS',
      allowAllOutbound: false,
    });
    group.addIngressRule(this.clients, ec2.Port.tcp(443), 'Functions that reach the databases');
    this.vpc.addInterfaceEndpoint('KmsEndpoint', {
      service: ec2.InterfaceVpcEndpointAwsService.KMS,
      subnets: { subnets: this.vpc.isolatedSubnets.slice(0, zones) },
      securityGroups: [group],
      open: false,
    });
  }
}
