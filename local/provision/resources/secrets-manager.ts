import * as z from 'zod';
import { generateSchema } from '../../secrets-manager/password.ts';
import type { SecretsManagerService } from '../../secrets-manager/secrets-manager-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const secretProperties = z.looseObject({
  Name: z.string().optional(),
  Description: z.string().default(''),
  KmsKeyId: z.string().optional(),
  SecretString: z.string().optional(),
  GenerateSecretString: generateSchema.optional(),
});

/** Secrets; generated values are made once. */
export function secretsManagerResources(secrets: SecretsManagerService): Record<string, ResourceHandler> {
  return {
    'AWS::SecretsManager::Secret': async (request) => {
      const properties = secretProperties.parse(request.properties);
      const { arn } = await secrets.ensureSecret({
        name: properties.Name ?? physicalName(request),
        description: properties.Description,
        ...(properties.KmsKeyId && { kmsKeyId: properties.KmsKeyId }),
        ...(properties.SecretString !== undefined && { secretString: properties.SecretString }),
        ...(properties.GenerateSecretString && { generate: properties.GenerateSecretString }),
      });
      return { ref: arn, attributes: { Id: arn } };
    },
  };
}
