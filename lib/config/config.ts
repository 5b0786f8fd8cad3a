import { z } from 'zod';
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
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(environment)) {
    throw new ConfigError(
      `environment: "${environment}" is no name for an environment (lower case letters, digits, hyphens, at most 20)`,
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
  return result.data;
}

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
