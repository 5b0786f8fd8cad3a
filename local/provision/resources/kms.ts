import * as z from 'zod';
import type { KmsService } from '../../kms/kms-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const keyProperties = z.looseObject({
  Description: z.string().default(''),
  KeyPolicy: z.unknown(),
  KeySpec: z.enum(['SYMMETRIC_DEFAULT', 'HMAC_256']).default('SYMMETRIC_DEFAULT'),
  MultiRegion: z.boolean().default(false),
  EnableKeyRotation: z.boolean().default(false),
  Enabled: z.boolean().default(true),
});

/** Encryption and HMAC keys. */
export function kmsResources(kms: KmsService): Record<string, ResourceHandler> {
  return {
    'AWS::KMS::Key': async (request) => {
      const properties = keyProperties.parse(request.properties);
      const { keyId, arn } = await kms.ensureKey({
        name: physicalName(request),
        description: properties.Description,
        spec: properties.KeySpec,
        multiRegion: properties.MultiRegion,
        enabled: properties.Enabled,
        rotation: properties.EnableKeyRotation,
        policy: properties.KeyPolicy,
      });
      return { ref: keyId, attributes: { Arn: arn, KeyId: keyId } };
    },
  };
}
