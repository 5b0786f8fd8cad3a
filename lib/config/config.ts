import * as z from 'zod';
import { clusterName } from '../constants.ts';
import type { Profile } from './parts.ts';
import { type DeploymentConfig, deploymentSchema } from './schema.ts';

/** An invalid setting. The message has one line per problem, each starting with the setting's path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const environmentsSchema = z.object({ environments: z.record(z.string(), z.unknown()).default({}) });

/**
 * Reads the settings of one environment from the CDK context.
 *
 * @param environment name of the environment; `dev` needs no entry and then has its defaults alone.
 * @param context the value of the context key `mainstay`, as cdk.json or `-c` gives it.
 * @throws {ConfigError} naming the path of each unknown, malformed or contradictory setting.
 */
export function loadConfig(environment: string, context: unknown): DeploymentConfig {
  if (environment.length > 20 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(environment)) {
    throw new ConfigError(
      `environment: "${environment}" is no name for an environment (lower case letters, digits, single hyphens between them, at most 20)`,
    );
  }
  const parsed = environmentsSchema.safeParse(context ?? {});
  if (!parsed.success) throw configError(['mainstay'], parsed.error);

  const { environments } = parsed.data;
  const settings = environments[environment] ?? (environment === 'dev' ? {} : undefined);
  if (settings === undefined) {
    const known = [...new Set(['dev', ...Object.keys(environments)])].join(', ');
    throw new ConfigError(`mainstay.environments.${environment}: not configured; known are ${known}`);
  }
  const result = deploymentSchema(profileOf(settings)).safeParse(settings);
  if (!result.success) throw configError(['mainstay', 'environments', environment], result.error);
  requireShortNames(environment, result.data);
  return result.data;
}

/** RDS takes 63 characters; the longest name is that of a reader. */
function requireShortNames(environment: string, { shards }: DeploymentConfig): void {
  const problems = shards.flatMap(({ name, adopt }, index) => {
    const length = `${clusterName(environment, name)}-reader-15`.length;
    return adopt !== undefined || length <= maxIdentifier
      ? []
      : [
          `mainstay.environments.${environment}.shards.${index}.name: ${length - maxIdentifier} too long beside the environment's name; RDS takes ${maxIdentifier} characters for an instance`,
        ];
  });
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
}
const maxIdentifier = 63;

/** The profile decides which defaults apply, so it is read before all else; a wrong one is reported with the rest. */
function profileOf(settings: unknown): Profile {
  const found = z.object({ profile: z.literal('production') }).safeParse(settings);
  return found.success ? 'production' : 'dev';
}

function configError(root: readonly string[], error: z.ZodError): ConfigError {
  return new ConfigError(error.issues.flatMap((issue) => describe(root, issue)).join('\n'));
}

function describe(root: readonly string[], issue: z.core.$ZodIssue): string[] {
  const path = [...root, ...issue.path].map(String).join('.');
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => `${path}.${key}: unknown setting`)
    : [`${path}: ${issue.message}`];
}
