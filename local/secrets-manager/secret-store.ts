import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import { StateFile } from '../aws/state-file.ts';
import { type GenerateSecretString, generateSecretString } from './password.ts';
import { addVersion, type Secret, secretSchema } from './secret.ts';

/** What a secret is created as. */
export interface SecretDefinition {
  name: string;
  /** Default empty. */
  description?: string;
  /** Id, alias or ARN of a customer key; default the account's own, which asks nobody. */
  kmsKeyId?: string;
  /** The value, when the template knows it; a change of it becomes a new version. */
  secretString?: string;
  /** How to make the value up, once. Without it and `secretString` the secret has no value at first. */
  generate?: GenerateSecretString;
  /** Resource policy; default none. */
  policy?: unknown;
}

/** Secrets on disk (mode 0600). */
export class SecretStore {
  readonly #file: StateFile<{ secrets: Secret[] }>;
  readonly #prefix: string;

  constructor(directory: string, accountId: string, region: string) {
    const schema = z.object({ secrets: z.array(secretSchema) });
    this.#file = new StateFile(join(directory, 'secrets.json'), schema, { secrets: [] });
    this.#prefix = `arn:aws:secretsmanager:${region}:${accountId}:secret:`;
  }

  secrets(): readonly Secret[] {
    return this.#file.state.secrets;
  }

  /** Finds a secret by name, ARN, or ARN without its random end. Throws `ResourceNotFoundException`. */
  find(reference: string): Secret {
    const secret = this.#file.state.secrets.find(
      ({ name, arn }) => reference === name || reference === arn || reference === `${this.#prefix}${name}`,
    );
    if (secret) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  async ensure(definition: SecretDefinition): Promise<Secret> {
    const { name, description = '', kmsKeyId, secretString, generate } = definition;
    let secret = this.#file.state.secrets.find((candidate) => candidate.name === name);
    if (!secret) {
      const now = Date.now();
      const arn = `${this.#prefix}${name}-${randomSuffix()}`;
      secret = { name, arn, description, createdAt: now, changedAt: now, versions: [] };
      this.#file.state.secrets.push(secret);
      if (generate) addVersion(secret, randomUUID(), { string: generateSecretString(generate) });
    }
    secret.description = description;
    if (kmsKeyId === undefined) delete secret.kmsKeyId;
    else secret.kmsKeyId = kmsKeyId;
    if (secretString !== undefined && secretString !== secret.definedString) {
      addVersion(secret, randomUUID(), { string: secretString });
      secret.definedString = secretString;
    }
    await this.#file.save();
    return secret;
  }

  /** Stores what was changed in a secret. */
  save(): Promise<void> {
    return this.#file.save();
  }
}

function randomSuffix(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
}
