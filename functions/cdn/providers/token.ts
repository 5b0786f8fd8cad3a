import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { onDependency } from '../../shared/dependency.ts';
import { ProviderRefusedError } from './errors.ts';

/** How long a secret is kept in memory, in milliseconds: a new one is used within that. */
const keptMs = 300_000;

/**
 * Reads a secret's text when it is first needed, and again after five minutes.
 *
 * @throws (by the reader) DependencyError; ProviderRefusedError where there is nothing in it.
 */
export function secretReader(
  client: SecretsManagerClient,
  secretArn: string,
  now: () => number = Date.now,
): () => Promise<string> {
  let kept: { text: string; until: number } | undefined;
  return async () => {
    if (kept !== undefined && now() < kept.until) return kept.text;
    const { SecretString } = await onDependency('Secrets Manager', 'GetSecretValue', () =>
      client.send(new GetSecretValueCommand({ SecretId: secretArn })),
    );
    const text = SecretString?.trim() ?? '';
    if (text === '') throw new ProviderRefusedError('The secret of the edge provider is empty.');
    kept = { text, until: now() + keptMs };
    return text;
  };
}
