import * as z from 'zod';
import type { Logs } from '../../cloudwatch/logs.ts';
import type { EventInvokeConfig, LambdaDefinition } from '../../lambda/definition.ts';
import type { LambdaHost } from '../../lambda/host.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';
import type { ResourcePolicies } from '../resource-policies.ts';

const functionProperties = z.looseObject({
  FunctionName: z.string().optional(),
  Description: z.string().optional(),
  Code: z.looseObject({ S3Key: z.string() }),
  Handler: z.string(),
  Role: z.string(),
  Runtime: z.string().startsWith('nodejs'),
  MemorySize: z.coerce.number().default(128),
  Timeout: z.coerce.number().default(3),
  Environment: z.object({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
  ReservedConcurrentExecutions: z.coerce.number().optional(),
  TracingConfig: z.object({ Mode: z.enum(['Active', 'PassThrough']) }).optional(),
  LoggingConfig: z
    .looseObject({ LogGroup: z.string().optional(), LogFormat: z.enum(['Text', 'JSON']).optional() })
    .optional(),
});

const permissionProperties = z.looseObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
});

const destination = z.object({ Destination: z.string() }).optional();
const eventInvokeProperties = z.looseObject({
  FunctionName: z.string(),
  MaximumRetryAttempts: z.coerce.number().optional(),
  MaximumEventAgeInSeconds: z.coerce.number().optional(),
  DestinationConfig: z.object({ OnFailure: destination, OnSuccess: destination }).optional(),
});

export interface LambdaResourceOptions {
  host: LambdaHost;
  logs: Logs;
  policies: ResourcePolicies;
  region: string;
  accountId: string;
}

/** Functions, who may invoke them, and what becomes of their asynchronous invocations. */
export function lambdaResources({
  host,
  logs,
  policies,
  region,
  accountId,
}: LambdaResourceOptions): Record<string, ResourceHandler> {
  const arnOf = (name: string) => `arn:aws:lambda:${region}:${accountId}:function:${name}`;

  return {
    'AWS::Lambda::Function': async (request) => {
      const properties = functionProperties.parse(request.properties);
      const name = properties.FunctionName ?? physicalName(request);
      const definition: LambdaDefinition = {
        arn: arnOf(name),
        name,
        codeDirectory: request.assembly.assetPath(properties.Code.S3Key),
        handler: properties.Handler,
        memoryMiB: properties.MemorySize,
        timeoutSeconds: properties.Timeout,
        environment: properties.Environment?.Variables ?? {},
        roleArn: properties.Role,
        runtime: properties.Runtime,
        tracing: properties.TracingConfig?.Mode ?? 'PassThrough',
      };
      if (properties.Description !== undefined) definition.description = properties.Description;
      if (properties.ReservedConcurrentExecutions !== undefined) {
        definition.reservedConcurrency = properties.ReservedConcurrentExecutions;
      }
      if (properties.LoggingConfig?.LogGroup !== undefined)
        definition.logGroupName = properties.LoggingConfig.LogGroup;
      if (properties.LoggingConfig?.LogFormat !== undefined)
        definition.logFormat = properties.LoggingConfig.LogFormat;
      await host.ensureFunction(definition);
      const group = definition.logGroupName ?? `/aws/lambda/${name}`;
      logs.ensureGroup({ name: group, functionFile: host.logFile(name) });
      return { ref: name, attributes: { Arn: definition.arn } };
    },
    'AWS::Lambda::Permission': (request) => {
      const properties = permissionProperties.parse(request.properties);
      const arn = host.find(properties.FunctionName).definition.arn;
      const service = properties.Principal.endsWith('.amazonaws.com');
      const conditions = {
        ...(properties.SourceArn && { ArnLike: { 'aws:SourceArn': properties.SourceArn } }),
        ...(properties.SourceAccount && { StringEquals: { 'aws:SourceAccount': properties.SourceAccount } }),
      };
      policies.contribute(arn, `${request.stackName}/${request.logicalId}`, [
        {
          Effect: 'Allow',
          Principal: service ? { Service: properties.Principal } : { AWS: properties.Principal },
          Action: properties.Action,
          Resource: arn,
          ...(Object.keys(conditions).length > 0 && { Condition: conditions }),
        },
      ]);
      return { ref: physicalName(request) };
    },
    'AWS::Lambda::EventInvokeConfig': async (request) => {
      const properties = eventInvokeProperties.parse(request.properties);
      const { definition } = host.find(properties.FunctionName);
      const eventInvoke: EventInvokeConfig = {};
      if (properties.MaximumRetryAttempts !== undefined)
        eventInvoke.maxRetryAttempts = properties.MaximumRetryAttempts;
      if (properties.MaximumEventAgeInSeconds !== undefined)
        eventInvoke.maxAgeSeconds = properties.MaximumEventAgeInSeconds;
      const { OnFailure, OnSuccess } = properties.DestinationConfig ?? {};
      if (OnFailure !== undefined) eventInvoke.onFailureArn = OnFailure.Destination;
      if (OnSuccess !== undefined) eventInvoke.onSuccessArn = OnSuccess.Destination;
      await host.ensureFunction({ ...definition, eventInvoke });
      return { ref: physicalName(request) };
    },
  };
}
