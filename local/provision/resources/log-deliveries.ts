import * as z from 'zod';
import { parseInput } from '../../aws/input.ts';
import type { LogDeliveries } from '../../cloudfront/logging/deliveries.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const sourceProperties = z.strictObject({
  LogType: z.literal('ACCESS_LOGS'),
  Name: z.string(),
  ResourceArn: z.string().regex(/:distribution\//),
  Tags: z.unknown().optional(),
});
const destinationProperties = z.strictObject({
  DestinationResourceArn: z.string().regex(/^arn:[^:]+:s3:::/),
  Name: z.string(),
  OutputFormat: z.enum(['w3c', 'json']),
  Tags: z.unknown().optional(),
});
const deliveryProperties = z.strictObject({
  DeliveryDestinationArn: z.string(),
  DeliverySourceName: z.string(),
  FieldDelimiter: z.string().optional(),
  RecordFields: z.array(z.string()).optional(),
  S3EnableHiveCompatiblePath: z.literal(false).optional(),
  S3SuffixPath: z.string().optional(),
  Tags: z.unknown().optional(),
});

/** Deliveries of CloudWatch Logs: the access logs of distributions into buckets. */
export function logDeliveryResources(deliveries: LogDeliveries): Record<string, ResourceHandler> {
  return {
    'AWS::Logs::DeliverySource': (request) => {
      const { Name, ResourceArn } = parseInput(request.type, sourceProperties, request.properties);
      const Arn = deliveries.setSource(Name, ResourceArn);
      return { ref: Name, attributes: { Arn, Service: 'cloudfront', ResourceArns: [ResourceArn] } };
    },
    'AWS::Logs::DeliveryDestination': (request) => {
      const properties = parseInput(request.type, destinationProperties, request.properties);
      const Arn = deliveries.setDestination(
        properties.Name,
        properties.DestinationResourceArn,
        properties.OutputFormat,
      );
      return { ref: properties.Name, attributes: { Arn } };
    },
    'AWS::Logs::Delivery': (request) => {
      const properties = parseInput(request.type, deliveryProperties, request.properties);
      const id = physicalName(request);
      deliveries.setDelivery(id, {
        source: properties.DeliverySourceName,
        destinationArn: properties.DeliveryDestinationArn,
        suffix: properties.S3SuffixPath,
        delimiter: properties.FieldDelimiter,
        fields: properties.RecordFields,
      });
      return { ref: id, attributes: { DeliveryId: id } };
    },
  };
}
