import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AwsApi } from '../../../local/aws/api.ts';
import { CredentialStore, type Credentials } from '../../../local/aws/credentials.ts';
import { AwsEndpoint } from '../../../local/aws/endpoint.ts';
import { Authorizer, type RolePolicies } from '../../../local/iam/authorizer.ts';

export const accountId = '000000000000';
export const region = 'us-east-1';
export const testRole = `arn:aws:iam::${accountId}:role/test-role`;

/** An endpoint on a free port with its own state directory. */
export interface EmulatedAws {
  directory: string;
  credentials: CredentialStore;
  authorizer: Authorizer;
  endpoint: AwsEndpoint;
  /** Lines the endpoint logged about failures of its own. */
  logged: string[];
  /** Client settings of whoever the credentials belong to; default the operator. */
  client(credentials?: Credentials): ClientSettings;
  /** Client settings of {@link testRole} with just these statements. */
  asRole(...statements: object[]): ClientSettings;
  close(): Promise<void>;
}

export interface ClientSettings {
  endpoint: string;
  region: string;
  credentials: Credentials;
  maxAttempts: number;
}

/** Starts an endpoint with the services that `build` returns, of a region (default {@link region}). */
export async function startAws(
  build: (parts: {
    directory: string;
    credentials: CredentialStore;
    authorizer: Authorizer;
  }) => readonly AwsApi[] | Promise<readonly AwsApi[]>,
  own: string = region,
): Promise<EmulatedAws> {
  const directory = mkdtempSync(join(tmpdir(), 'mainstay-aws-'));
  const credentials = CredentialStore.open(directory);
  const authorizer = new Authorizer();
  const logged: string[] = [];
  const endpoint = new AwsEndpoint({
    credentials,
    authorizer,
    region: own,
    log: (line) => logged.push(line),
  });
  for (const api of await build({ directory, credentials, authorizer })) endpoint.register(api);
  await endpoint.start();
  const client = (caller = credentials.operator()): ClientSettings => ({
    endpoint: endpoint.url,
    region: own,
    credentials: caller,
    maxAttempts: 1,
  });
  return {
    directory,
    credentials,
    authorizer,
    endpoint,
    logged,
    client,
    asRole: (...statements) => {
      authorizer.setRole(testRole, rolePolicies(statements));
      return client(credentials.forRole(testRole));
    },
    close: async () => {
      await endpoint.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A role that anyone in the account may assume, with the given statements. */
export function rolePolicies(statements: readonly object[]): RolePolicies {
  return {
    trust: {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: 'sts:AssumeRole' },
      ],
    },
    policies: [{ Version: '2012-10-17', Statement: statements }],
  };
}

/** An `Allow` statement. */
export function allow(
  action: string | string[],
  resource: string | string[] = '*',
  condition?: object,
): object {
  return { Effect: 'Allow', Action: action, Resource: resource, ...(condition && { Condition: condition }) };
}

/** A `Deny` statement. */
export function deny(action: string | string[], resource: string | string[] = '*'): object {
  return { Effect: 'Deny', Action: action, Resource: resource };
}
