import {
  DescribeDBClusters$,
  DescribeDBClustersCommand,
  ModifyDBCluster$,
  ModifyDBClusterCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QueryApi } from '../../../local/aws/api.ts';
import { AwsError } from '../../../local/aws/operation.ts';
import { type EmulatedAws, startAws } from './emulated-aws.ts';

let aws: EmulatedAws;
let received: unknown;
let answer: unknown;

const rds: QueryApi = {
  protocol: 'query',
  signingName: 'rds',
  xmlNamespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
  operations: {
    DescribeDBClusters: {
      schema: DescribeDBClusters$,
      authorize: () => [],
      run: (input) => {
        received = input;
        return answer;
      },
    },
    ModifyDBCluster: {
      schema: ModifyDBCluster$,
      authorize: () => [],
      run: (input) => {
        received = input;
        throw new AwsError('DBClusterNotFoundFault', 'No <cluster>', 404);
      },
    },
  },
};

beforeAll(async () => {
  aws = await startAws(() => [rds]);
});
afterAll(() => aws.close());

describe('the query protocol', () => {
  it('gives operations the input as the SDK was given it', async () => {
    const input = {
      Filters: [
        { Name: 'engine', Values: ['aurora-postgresql', 'a & b'] },
        { Name: 'status', Values: ['available'] },
      ],
      MaxRecords: 20,
      IncludeShared: true,
    };
    await new RDSClient(aws.client()).send(new DescribeDBClustersCommand(input));
    expect(received).toEqual(input);
  });

  it('gives the SDK the result as the operation returned it', async () => {
    const cluster = {
      DBClusterIdentifier: 'shard-a <&>',
      Port: 5432,
      StorageEncrypted: false,
      ClusterCreateTime: new Date('2026-11-20T10:00:00.123Z'),
      AvailabilityZones: ['us-east-1a', 'us-east-1b'],
      DBClusterMembers: [
        { DBInstanceIdentifier: 'writer', IsClusterWriter: true },
        { DBInstanceIdentifier: 'reader', IsClusterWriter: false },
      ],
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
    };
    answer = { DBClusters: [cluster], Marker: undefined, Unknown: 'left out' };
    const { DBClusters, Marker } = await new RDSClient(aws.client()).send(new DescribeDBClustersCommand({}));
    expect(DBClusters?.[0]).toMatchObject(cluster);
    expect(DBClusters).toHaveLength(1);
    expect(Marker).toBeUndefined();
  });

  it('carries modelled errors', async () => {
    const attempt = new RDSClient(aws.client()).send(
      new ModifyDBClusterCommand({
        DBClusterIdentifier: 'none',
        ServerlessV2ScalingConfiguration: { MinCapacity: 0.5 },
        VpcSecurityGroupIds: ['sg-1', 'sg-2'],
      }),
    );
    await expect(attempt).rejects.toMatchObject({ name: 'DBClusterNotFoundFault', message: 'No <cluster>' });
    expect(received).toEqual({
      DBClusterIdentifier: 'none',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5 },
      VpcSecurityGroupIds: ['sg-1', 'sg-2'],
    });
  });
});
