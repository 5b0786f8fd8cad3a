import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';

/** What Systems Manager takes as one value, in bytes; up to the first it costs nothing. */
const standardValue = 4 * 1024;
const longestValue = 8 * 1024;

/**
 * The deployment's settings as parameters, so that they are backed up with what is set while the platform runs, and can be
 * looked up where it runs: several sections in each, because a stack has room for a few hundred resources. They hold no
 * secrets: the settings name none.
 */
export class DeploymentParameters extends Construct {
  /** The path that all of the deployment's own parameters are below. */
  readonly path: string;

  constructor(
    scope: Construct,
    id: string,
    { environment, config }: { environment: string; config: DeploymentConfig },
  ) {
    super(scope, id);
    this.path = `/mainstay/${environment}`;
    for (const [index, value] of packSettings(config).entries()) {
      new ssm.CfnParameter(this, `Settings${index + 1}`, {
        name: `${this.path}/configuration/${index + 1}`,
        type: 'String',
        value,
        description: 'Settings of the deployment, as it wrote them: a change here changes nothing',
        ...(Buffer.byteLength(value) > standardValue && { tier: 'Advanced' }),
      });
    }
  }
}

/** The settings as JSON texts, each of as many sections as it takes; shards are sections of their own. */
export function packSettings({ shards, ...sections }: DeploymentConfig): string[] {
  const all: [string, unknown][] = [
    ...Object.entries(sections).filter(([, value]) => value !== undefined),
    ...shards.map((shard): [string, unknown] => [`shards/${shard.name}`, shard]),
  ];
  const texts: string[] = [];
  let current: Record<string, unknown> = {};
  for (const [name, value] of all) {
    const alone = Buffer.byteLength(JSON.stringify({ [name]: value }));
    if (alone > longestValue) {
      throw new Error(`${name}: the setting has ${alone} bytes as JSON; a parameter holds ${longestValue}`);
    }
    const grown = { ...current, [name]: value };
    if (Buffer.byteLength(JSON.stringify(grown)) <= standardValue) {
      current = grown;
      continue;
    }
    if (Object.keys(current).length > 0) texts.push(JSON.stringify(current));
    current = { [name]: value };
  }
  return [...texts, JSON.stringify(current)];
}
