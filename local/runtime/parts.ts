import { CredentialStore } from '../aws/credentials.ts';
import { AwsEndpoint } from '../aws/endpoint.ts';
import type { Principal } from '../aws/operation.ts';
import { CloudFront } from '../cloudfront/cloudfront.ts';
import { edgeLocation } from '../cloudfront/edge.ts';
import { AccessLogs } from '../cloudfront/logging/access-logs.ts';
import { LogDeliveries } from '../cloudfront/logging/deliveries.ts';
import { originsOver } from '../cloudfront/origins.ts';
import { CloudWatch } from '../cloudwatch/cloudwatch.ts';
import { LogSubscriptions } from '../cloudwatch/log-subscriptions.ts';
import { Logs } from '../cloudwatch/logs.ts';
import type { MetricDatum } from '../cloudwatch/metric.ts';
import { DynamoDbService } from '../dynamodb/dynamodb-service.ts';
import { EventBuses } from '../events/event-bus.ts';
import { HttpApi } from '../http-api/http-api.ts';
import { Authorizer } from '../iam/authorizer.ts';
import { KmsService } from '../kms/kms-service.ts';
import { lambdaApi } from '../lambda/api.ts';
import { LambdaHost } from '../lambda/host.ts';
import { PostgresClusters } from '../postgres/clusters.ts';
import { iamTokenCheck } from '../postgres/iam.ts';
import { CustomResources } from '../provision/custom-resources.ts';
import { RdsService } from '../rds/rds-service.ts';
import { S3Service } from '../s3/s3-service.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { SecretsManagerService } from '../secrets-manager/secrets-manager-service.ts';
import { SnsService } from '../sns/sns-service.ts';
import { SqsService } from '../sqs/sqs-service.ts';
import { SsmService } from '../ssm/ssm-service.ts';
import { targetsOver } from '../step-functions/aws-targets.ts';
import { StepFunctions } from '../step-functions/step-functions.ts';
import { StsService } from '../sts/sts-service.ts';
import { XrayDaemon } from '../xray/xray-daemon.ts';
import { createDelivery } from './delivery.ts';
import { QueueDepths, recordInvocation, recordRequest } from './service-metrics.ts';
import type { StateDirectory } from './state-directory.ts';

export const region = 'us-east-1';
export const accountId = '000000000000';
export const operator: Principal = { kind: 'operator', arn: `arn:aws:iam::${accountId}:user/operator` };

/** How often the edge writes its log files, in ms; CloudFront takes minutes. */
const edgeLogIntervalMs = 3000;

export interface PartsOptions {
  state: StateDirectory;
  /** Preferred ports; 0 for any. */
  port: number;
  awsPort: number;
  edgePort: number;
  /** Takes lines for the person at the keyboard. */
  report: (line: string) => void;
  /** Called when a database's address or process has changed. */
  onDatabasesChanged: () => void;
}

/** Everything that stands in for AWS, wired together; nothing is started yet. */
export type Parts = ReturnType<typeof createParts>;

/** Makes the parts of the local runtime. */
export function createParts({ state, port, awsPort, edgePort, report, onDatabasesChanged }: PartsOptions) {
  const directory = state.join('aws');
  const logDirectory = state.join('logs');
  const common = { directory, region, accountId };
  const credentials = CredentialStore.open(directory, accountId);
  const authorizer = new Authorizer({ accountId, region });
  const endpoint = new AwsEndpoint({
    credentials,
    authorizer,
    port: awsPort,
    region,
    accountId,
    log: report,
  });
  const kms = new KmsService({ ...common, authorizer });
  const xray = new XrayDaemon({ file: state.join('logs', 'xray.log') });
  const postgres = new PostgresClusters({
    stateDirectory: state.path,
    logDirectory,
    checkToken: iamTokenCheck({ credentials, authorizer, region, accountId }),
    onChange: onDatabasesChanged,
    report,
  });
  const lambda = new LambdaHost({
    directory: state.join('aws', 'lambda'),
    logDirectory,
    region,
    credentials,
    surroundings: () => ({
      endpointUrl: endpoint.url,
      xrayDaemonAddress: xray.address,
      caCertificatesFile: postgres.authorityFile,
    }),
    deliver: (targetArn, record, { functionArn, roleArn }) =>
      deliver(targetArn, record, { service: 'lambda.amazonaws.com', sourceArn: functionArn, roleArn }),
    onInvocation: (invocation) => recordInvocation(cloudWatch, invocation),
  });
  lambda.onLogLine(({ functionName, text, timestampMs }) => {
    cloudWatch.metrics.ingestLogLine(functionName, text);
    const group = logs.groupOf(lambda.logFile(functionName));
    if (group !== undefined) subscriptions.accept(group, text, timestampMs);
  });
  const secrets = new SecretsManagerService({ ...common, authorizer, kms });
  const deliver = createDelivery({ authorizer, endpoint, lambda });
  const buses = new EventBuses({ ...common, deliver, report });
  const cloudWatch = new CloudWatch({ ...common, deliver, report, putEvent: (event) => buses.put(event) });
  const logs = new Logs({ directory: state.join('logs', 'groups'), region, accountId });
  const subscriptions = new LogSubscriptions({ region, accountId, deliver, report });
  const sqs = new SqsService({ ...common, endpointUrl: () => endpoint.url });
  const s3 = new S3Service({
    ...common,
    directory: state.join('aws', 's3'),
    authorizer,
    kms,
    onEvent: ({ source, resources, detail, time, 'detail-type': detailType }) =>
      buses.put({ source, detailType, resources, detail, time: Date.parse(time) }),
  });
  const recordMetric = (datum: MetricDatum) => void cloudWatch.metrics.record(datum);
  const stepFunctions = new StepFunctions({
    ...common,
    directory: state.join('aws', 'step-functions'),
    ...targetsOver((...call) => endpoint.call(...call)),
    authorize: (principal, authorization) => authorizer.check(principal, authorization),
    putEvent: (event) => void buses.put(event),
    recordMetric,
    writeLog: (...line) => logs.put(...line),
    report,
  });
  const httpApi = new HttpApi({
    region,
    accountId,
    preferredPort: port,
    accessLogFile: state.join('logs', 'access.log'),
    invoke: async (functionArn, payload, { sourceArn, traceHeader }) => {
      const caller: Principal = { kind: 'service', arn: 'apigateway.amazonaws.com', sourceArn };
      authorizer.check(caller, { action: 'lambda:InvokeFunction', resource: functionArn });
      return lambda.invoke(functionArn, payload, { traceHeader });
    },
    onRequest: (context) => recordRequest(cloudWatch, context),
  });
  const logDeliveries = new LogDeliveries({ accountId, region });
  const accessLogs = new AccessLogs({
    deliveries: logDeliveries,
    edgeLocation,
    domainName: () => cloudFront.domainName,
    accountId,
    intervalMs: edgeLogIntervalMs,
    report,
    put: async ({ bucket, sourceArn }, key, body) => {
      const delivery: Principal = { kind: 'service', arn: 'delivery.logs.amazonaws.com', sourceArn };
      const object = { Bucket: bucket, Key: key, Body: body, ACL: 'bucket-owner-full-control' };
      await endpoint.call(delivery, 's3', 'PutObject', object);
    },
  });
  const cloudFront: CloudFront = new CloudFront({
    onExchanged: (exchanged) => accessLogs.record(exchanged),
    accountId,
    preferredPort: edgePort,
    tls: () => postgres.certificate,
    fetch: originsOver({ s3: s3.api, authorizer, region, accountId, apiUrl: () => httpApi.url }),
  });
  const customResources = new CustomResources({
    file: state.join('aws', 'custom-resources.json'),
    invoke: async (functionArn, event) => {
      await lambda.invoke(functionArn, JSON.stringify(event), { type: 'Event' });
    },
  });

  return {
    credentials,
    authorizer,
    endpoint,
    kms,
    xray,
    postgres,
    lambda,
    deliver,
    buses,
    s3,
    stepFunctions,
    httpApi,
    cloudFront,
    logDeliveries,
    accessLogs,
    customResources,
    dynamoDb: new DynamoDbService({ ...common, authorizer, kms, recordMetric }),
    secrets,
    rds: new RdsService({
      ...common,
      clusters: postgres,
      putEvent: (event) => buses.put(event),
      report,
      createSecret: async (name, secretString, kmsKeyId) => {
        const secret = { name, secretString, ...(kmsKeyId !== undefined && { kmsKeyId }) };
        return (await secrets.ensureSecret(secret)).arn;
      },
    }),
    ssm: new SsmService(common),
    sns: new SnsService({
      region,
      accountId,
      authorizer,
      kms,
      log: report,
      deliver: (targetArn, event, topicArn) =>
        deliver(targetArn, event, { service: 'sns.amazonaws.com', sourceArn: topicArn }),
    }),
    sqs,
    queueDepths: new QueueDepths(sqs, cloudWatch),
    cloudWatch,
    logs,
    subscriptions,
    sts: new StsService({ credentials }),
    scheduler: new Scheduler({
      ...common,
      deliver,
      report,
      authorize: (principal, authorization) => authorizer.check(principal, authorization),
    }),
  };
}

/** Makes every API reachable at the endpoint. */
export function registerApis(parts: Parts): void {
  const { endpoint } = parts;
  for (const service of [
    parts.kms,
    parts.dynamoDb,
    parts.secrets,
    parts.ssm,
    parts.sns,
    parts.sqs,
    parts.sts,
    parts.s3,
    parts.stepFunctions,
    parts.buses,
    parts.scheduler,
    parts.rds,
    parts.cloudWatch,
    parts.cloudFront,
    parts.logs,
  ]) {
    endpoint.register(service.api);
  }
  endpoint.register(lambdaApi(parts.lambda));
}
