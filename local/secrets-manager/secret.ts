import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';

export const versionSchema = z.object({
  id: z.string(),
  stages: z.array(z.string()),
  /** Milliseconds since the epoch. */
  createdAt: z.number(),
  string: z.string().optional(),
  /** Base64. */
  binary: z.string().optional(),
});

export const secretSchema = z.object({
  name: z.string(),
  arn: z.string(),
  description: z.string(),
  kmsKeyId: z.string().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
  /** Day of the last read. */
  accessedAt: z.number().optional(),
  /** The string it was last defined with, if any. */
  definedString: z.string().optional(),
  /** Oldest first. */
  versions: z.array(versionSchema),
});

export type SecretVersion = z.infer<typeof versionSchema>;
export type Secret = z.infer<typeof secretSchema>;

/** Versions kept beyond those with a stage, as AWS does. */
const maximumVersions = 100;

const current = 'AWSCURRENT';
const previous = 'AWSPREVIOUS';

/**
 * Stores a value as a version. The same id with the same value changes nothing; with another value it
 * is a `ResourceExistsException`. The first version is always `AWSCURRENT`; a later one that becomes so
 * makes its predecessor `AWSPREVIOUS`.
 */
export function addVersion(
  secret: Secret,
  id: string,
  value: Pick<SecretVersion, 'string' | 'binary'>,
  labels: readonly string[] = [current],
): SecretVersion {
  const existing = secret.versions.find((version) => version.id === id);
  if (existing) {
    if (existing.string === value.string && existing.binary === value.binary) return existing;
    throw new AwsError(
      'ResourceExistsException',
      `A version with the id ${id} exists already, with another value. A ClientRequestToken names one value.`,
    );
  }
  const first = secret.versions.length === 0 && !labels.includes(current);
  const stages = first ? [current, ...labels] : [...labels];
  const former = findStage(secret, current);
  const version = { id, createdAt: Date.now(), stages, ...value };
  for (const other of secret.versions) other.stages = other.stages.filter((stage) => !stages.includes(stage));
  if (stages.includes(current) && former) {
    for (const other of secret.versions) other.stages = other.stages.filter((stage) => stage !== previous);
    former.stages.push(previous);
  }
  secret.versions.push(version);
  secret.changedAt = version.createdAt;
  const surplus = secret.versions.filter((other) => other.stages.length === 0).slice(0, -maximumVersions);
  secret.versions = secret.versions.filter((other) => !surplus.includes(other));
  return version;
}

/** The version with an id, a stage, or both. Throws `ResourceNotFoundException`, `InvalidRequestException`. */
export function findVersion(
  secret: Secret,
  id: string | undefined,
  stage: string | undefined,
): SecretVersion {
  if (id === undefined) {
    const wanted = stage ?? current;
    const version = findStage(secret, wanted);
    if (version) return version;
    throw new AwsError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for staging label: ${wanted}`,
    );
  }
  const version = secret.versions.find((candidate) => candidate.id === id);
  if (!version) {
    const message = `Secrets Manager can't find the specified secret value for VersionId: ${id}`;
    throw new AwsError('ResourceNotFoundException', message);
  }
  if (stage !== undefined && !version.stages.includes(stage)) {
    throw new AwsError(
      'InvalidRequestException',
      'You provided a VersionStage that is not that of the VersionId.',
    );
  }
  return version;
}

function findStage(secret: Secret, stage: string): SecretVersion | undefined {
  return secret.versions.find((version) => version.stages.includes(stage));
}
