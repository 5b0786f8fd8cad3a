import * as z from 'zod';
import type { DynamoDbService } from '../../dynamodb/dynamodb-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }));
const tableProperties = z.looseObject({
  TableName: z.string().optional(),
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
  GlobalSecondaryIndexes: z
    .array(
      z.looseObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({
          ProjectionType: z.string(),
          NonKeyAttributes: z.array(z.string()).default([]),
        }),
      }),
    )
    .default([]),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
  Replicas: z
    .array(
      z.looseObject({
        DeletionProtectionEnabled: z.boolean().default(false),
        SSESpecification: z.object({ KMSMasterKeyId: z.string() }).optional(),
        PointInTimeRecoverySpecification: z
          .looseObject({ PointInTimeRecoveryEnabled: z.boolean() })
          .optional(),
      }),
    )
    .min(1),
});

/** Tables. Of a global table, the replica in this region. */
export function dynamoDbResources(dynamo: DynamoDbService): Record<string, ResourceHandler> {
  return {
    'AWS::DynamoDB::GlobalTable': async (request) => {
      const { TableName, Replicas, TimeToLiveSpecification, ...properties } = tableProperties.parse(
        request.properties,
      );
      const [replica] = Replicas;
      const { name, arn } = await dynamo.ensureTable({
        TableName: TableName ?? physicalName(request, 255),
        KeySchema: properties.KeySchema,
        AttributeDefinitions: properties.AttributeDefinitions,
        GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes,
        ...(TimeToLiveSpecification && { TimeToLiveSpecification }),
        ...(replica?.SSESpecification && { kmsKeyId: replica.SSESpecification.KMSMasterKeyId }),
        pointInTimeRecovery: replica?.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled ?? false,
        deletionProtection: replica?.DeletionProtectionEnabled ?? false,
      });
      return { ref: name, attributes: { Arn: arn } };
    },
  };
}
