import * as z from 'zod';
import { profiles } from './parts.ts';
import { deploymentSchema } from './schema.ts';

/** A setting of a deployment, as the reference lists it. */
interface Setting {
  path: string;
  /** What it takes: a range, a choice, a form. */
  values: string;
  /** Its default in each profile, in the order of `profiles`. */
  defaults: string[];
  description: string;
}

type Schema = z.core.JSONSchema.JSONSchema;

const introduction = `# Configuration

<!-- Written by lib/config/write-reference.ts from the schema. -->

A deployment is an environment: \`cdk.json\` holds its settings under \`context.mainstay.environments.<name>\`, and
\`npx cdk deploy --all -c environment=<name>\` deploys it (\`dev\` without \`-c\`). Everything has a default, so an empty
object is a deployment. An unknown, malformed or contradictory setting fails the synth with its path, for example
\`mainstay.environments.dev.backup.chunkConcurrency: …\`.

Settings that belong together are checked together: a backup may use at most
\`shardConcurrency × (2 + chunkConcurrency) + fileConcurrency\` concurrent executions, which have to fit beside \`apiConcurrency\` into
\`lambdaConcurrency\`. While a backup runs its lanes take turns, and Step Functions takes 25 000 events from one execution:
that bounds \`shardConcurrency\`, \`timeoutHours\` and \`holdTermSeconds\` together.
`;

/** The reference of all settings as Markdown, made from the schema itself. */
export function renderReference(): string {
  const perProfile = profiles.map((profile) =>
    leaves(z.toJSONSchema(deploymentSchema(profile), { io: 'input' }), ''),
  );
  const [first = []] = perProfile;
  const settings = first.map((leaf, index): Setting => {
    const defaults = perProfile.map((settings) => defaultOf(settings[index]));
    return { ...leaf, values: valuesOf(leaf.schema), defaults };
  });
  const rows = settings.map(
    ({ path, values, defaults, description }) =>
      `| \`${path}\` | ${values} | ${[...new Set(defaults)].join(' / ')} | ${description} |`,
  );
  return [
    introduction,
    '| Setting | Values | Default (`dev` / `production`) | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

interface Leaf {
  path: string;
  schema: Schema;
  required: boolean;
  description: string;
}

function leaves(schema: Schema, prefix: string, required = false): Leaf[] {
  const item = schema.type === 'array' && isSchema(schema.items) ? schema.items : undefined;
  if (item?.properties !== undefined) return leaves(item, `${prefix}[]`);
  if (schema.properties === undefined) {
    return [{ path: prefix, schema, required, description: schema.description ?? '' }];
  }
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    isSchema(property)
      ? leaves(property, prefix === '' ? name : `${prefix}.${name}`, schema.required?.includes(name))
      : [],
  );
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function defaultOf(leaf: Leaf | undefined): string {
  if (leaf?.schema.default !== undefined) return `\`${JSON.stringify(leaf.schema.default)}\``;
  return leaf?.required === true ? 'required' : 'none';
}

function valuesOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.minimum !== undefined || schema.maximum !== undefined) {
    const step = schema.multipleOf === undefined ? '' : `, in steps of ${schema.multipleOf}`;
    return `${schema.minimum} to ${schema.maximum}${step}`;
  }
  if (schema.type === 'array' && isSchema(schema.items)) return `list of ${valuesOf(schema.items)}`;
  return schema.format ?? String(schema.type ?? 'text');
}
