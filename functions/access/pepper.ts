import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/**
 * Reads the pepper once for the life of an execution environment. A failed read is not remembered.
 *
 * @throws Error when the secret has no text.
 */
export function pepperReader(client: SecretsManagerClient, secretArn: string): () => Promise<string> {
  let reading: Promise<string> | undefined;
  return () => {
    reading ??= read(client, secretArn).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
}

async function read(client: SecretsManagerClient, secretArn: string): Promise<string> {
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  if (SecretString === undefined || SecretString === '') throw new Error('The pepper of API keys is empty');
  return SecretString;
}
