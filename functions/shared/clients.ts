import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/**
 * One client per service for the life of an execution environment, made when first asked for: connections are
 * reused, and a bundle holds only the clients whose function is imported. Every call has a bounded number of
 * attempts, and a bounded time for each.
 */
const settings = (requestTimeout: number, maxAttempts = 3) => ({
  maxAttempts,
  requestHandler: { connectionTimeout: 2_000, requestTimeout, throwOnRequestTimeout: true },
});

let dynamoClient: DynamoDBDocumentClient | undefined;
/** DynamoDB with plain JavaScript values; attributes that are `undefined` are left out. */
export function dynamo(): DynamoDBDocumentClient {
  dynamoClient ??= DynamoDBDocumentClient.from(new DynamoDBClient(settings(3_000)), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return dynamoClient;
}

let s3Client: S3Client | undefined;
/** S3; the time bound covers the wait for the answer's head, not the transfer of its body. */
export function s3(): S3Client {
  s3Client ??= new S3Client(settings(60_000, 4));
  return s3Client;
}

let presigningClient: S3Client | undefined;
/** S3 for signing URLs: a checksum computed now would be that of no body, and S3 would refuse any other. */
export function presigningS3(): S3Client {
  presigningClient ??= new S3Client({ ...settings(20_000, 2), requestChecksumCalculation: 'WHEN_REQUIRED' });
  return presigningClient;
}

let kmsClient: KMSClient | undefined;
export function kms(): KMSClient {
  kmsClient ??= new KMSClient(settings(5_000));
  return kmsClient;
}

const regional = {
  s3: new Map<string, S3Client>(),
  kms: new Map<string, KMSClient>(),
  rds: new Map<string, RDSClient>(),
};

/** S3 of another region. */
export function s3In(region: string): S3Client {
  const client = regional.s3.get(region) ?? new S3Client({ ...settings(60_000, 4), region });
  regional.s3.set(region, client);
  return client;
}

/** KMS of another region. */
export function kmsIn(region: string): KMSClient {
  const client = regional.kms.get(region) ?? new KMSClient({ ...settings(5_000), region });
  regional.kms.set(region, client);
  return client;
}

let secretsClient: SecretsManagerClient | undefined;
export function secretsManager(): SecretsManagerClient {
  secretsClient ??= new SecretsManagerClient(settings(5_000));
  return secretsClient;
}

let ssmClient: SSMClient | undefined;
export function ssm(): SSMClient {
  ssmClient ??= new SSMClient(settings(5_000));
  return ssmClient;
}

let stepFunctionsClient: SFNClient | undefined;
export function stepFunctions(): SFNClient {
  stepFunctionsClient ??= new SFNClient(settings(5_000));
  return stepFunctionsClient;
}

let eventsClient: EventBridgeClient | undefined;
export function eventBridge(): EventBridgeClient {
  eventsClient ??= new EventBridgeClient(settings(5_000));
  return eventsClient;
}

let rdsClient: RDSClient | undefined;
export function rds(): RDSClient {
  rdsClient ??= new RDSClient(settings(10_000));
  return rdsClient;
}

/** RDS of another region. */
export function rdsIn(region: string): RDSClient {
  const client = regional.rds.get(region) ?? new RDSClient({ ...settings(5_000, 2), region });
  regional.rds.set(region, client);
  return client;
}

let schedulerClient: SchedulerClient | undefined;
export function scheduler(): SchedulerClient {
  schedulerClient ??= new SchedulerClient(settings(5_000));
  return schedulerClient;
}

let lambdaClient: LambdaClient | undefined;
/** Lambda; a synchronous invocation may take as long as the longest function, and is not attempted again. */
export function lambda(): LambdaClient {
  lambdaClient ??= new LambdaClient(settings(900_000, 1));
  return lambdaClient;
}

let cloudWatchClient: CloudWatchClient | undefined;
export function cloudWatch(): CloudWatchClient {
  cloudWatchClient ??= new CloudWatchClient(settings(5_000));
  return cloudWatchClient;
}

let cloudFrontClient: CloudFrontClient | undefined;
export function cloudFront(): CloudFrontClient {
  cloudFrontClient ??= new CloudFrontClient(settings(10_000));
  return cloudFrontClient;
}
