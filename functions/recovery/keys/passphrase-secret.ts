import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { onDependency } from '../../shared/dependency.ts';
import { normalisePassphrase } from './passphrase.ts';

/**
 * Reads the passphrase, normalised; nothing while the secret has none of that stage.
 * @throws EscrowError when it is too short or too long, DependencyError.
 */
export type PassphraseReader = (stage: 'AWSCURRENT' | 'AWSPREVIOUS') => Promise<string | undefined>;

/** Reads the passphrase from its secret, every time anew. */
export const passphraseReader =
  (client: SecretsManagerClient, secretArn: string): PassphraseReader =>
  (stage) =>
    onDependency('Secrets Manager', 'GetSecretValue', async () => {
      try {
        const { SecretString = '' } = await client.send(
          new GetSecretValueCommand({ SecretId: secretArn, VersionStage: stage }),
        );
        return SecretString.trim() === '' ? undefined : normalisePassphrase(SecretString);
      } catch (error) {
        // So a secret answers that has never been given a value, or none before this one.
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    });
