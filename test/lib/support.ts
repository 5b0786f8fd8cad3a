import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { createApp } from '../../lib/app.ts';
import type { Bundles } from '../../lib/constructs/bundle.ts';

export const root = dirname(dirname(import.meta.dirname));

const cdkJsonSchema = z.object({
  context: z.object({ mainstay: z.object({ environments: z.record(z.string(), z.unknown()) }) }),
});
/** The settings in cdk.json. */
export const mainstay = cdkJsonSchema.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context
  .mainstay;

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  DependsOn: z.array(z.string()).or(z.string()).optional(),
});
export type Resource = z.output<typeof resourceSchema>;

/** One stack's template: for assertions, and as plain data. */
export interface Synthesized {
  template: Template;
  resources: Record<string, Resource>;
}

/** Bundles that hold nothing, for tests that look at templates only. */
function emptyBundles(directory: string): Bundles {
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.mjs'), 'export const handler = async () => ({});\n');
  return { directory: () => directory, revisionOf: () => 'revision' };
}

/** Synthesizes an environment, with all its checks. Settings, where given, take the place of those in cdk.json. */
export function synthesize(environment = 'dev', settings: unknown = mainstay.environments[environment]) {
  return synthesized(environment, settings, true);
}

/** The same without the CDK's own checks of the templates, which take long; those of cdk.json are checked anyway, and made once. */
export function synthesizeUnchecked(...[environment = 'dev', settings]: Parameters<typeof synthesize>) {
  const usual = mainstay.environments[environment];
  const given = settings ?? usual;
  return synthesized(environment, given, JSON.stringify(given) === JSON.stringify(usual));
}

// Where each construct was made is in no template, and takes time to find out.
process.env.CDK_DISABLE_STACK_TRACE = '1';

const made = new Map<string, ReturnType<typeof make>>();

function synthesized(environment: string, settings: unknown, validation: boolean): ReturnType<typeof make> {
  const key = JSON.stringify([environment, settings, validation]);
  const found = made.get(key) ?? make(environment, settings, validation);
  made.set(key, found);
  return found;
}

function make(environment: string, settings: unknown, validation: boolean) {
  const directory = mkdtempSync(join(tmpdir(), 'mainstay-synth-'));
  const before = process.env.CDK_VALIDATION;
  if (!validation) process.env.CDK_VALIDATION = 'false';
  try {
    const app = createApp({
      context: { environment, mainstay: { environments: { [environment]: settings } } },
      bundles: emptyBundles(join(directory, 'bundle')),
      outdir: join(directory, 'cdk.out'),
    });
    const assembly = app.synth();
    const nameOf = (stackName: string) => stackName.slice(`Mainstay-${environment}-`.length);
    const stacks = new Map(
      assembly.stacks.map(({ stackName, template }): [string, Synthesized] => [
        nameOf(stackName),
        {
          template: Template.fromJSON(templateSchema.parse(template)),
          resources: z.object({ Resources: z.record(z.string(), resourceSchema) }).parse(template).Resources,
        },
      ]),
    );
    const protection = Object.fromEntries(
      assembly.stacks.map(({ stackName, terminationProtection }) => [
        nameOf(stackName),
        terminationProtection,
      ]),
    );
    const names = [...stacks.keys()];
    const stack = (name: string): Synthesized => {
      const found = stacks.get(name);
      if (found === undefined)
        throw new Error(`${environment} has no stack ${name}, only ${names.join(', ')}`);
      return found;
    };
    const platform = together(stack('Platform'), stack('Databases'), stack('Cdn'), stack('Telemetry'));
    return { names, stacks, stack, protection, stateful: stack('Stateful'), platform };
  } finally {
    if (before === undefined) delete process.env.CDK_VALIDATION;
    else process.env.CDK_VALIDATION = before;
    rmSync(directory, { recursive: true, force: true });
  }
}

const templateSchema = z.record(z.string(), z.unknown());

/** The capabilities as one, in whichever stack they are; no logical id is there twice. */
function together(...parts: Synthesized[]): Synthesized {
  const resources: Record<string, Resource> = {};
  for (const [id, resource] of parts.flatMap((part) => Object.entries(part.resources))) {
    if (id in resources) throw new Error(`Two stacks have a resource ${id}`);
    resources[id] = resource;
  }
  const [first, ...others] = parts.map(({ template }) => template.toJSON());
  const all = {
    ...first,
    Resources: Object.assign({}, first?.Resources, ...others.map((each) => each.Resources)),
  };
  return { resources, template: Template.fromJSON(all, { skipCyclicalDependenciesCheck: true }) };
}

/**
 * At most so many bytes do the variables of a function take: a value that is known when the app is deployed is as long as
 * AWS lets names and ARNs of its kind be in practice.
 */
export function variableBytes(variables: Record<string, unknown>): number {
  return Object.entries(variables).reduce((sum, [name, value]) => {
    const longest = name.endsWith('_BUCKET') ? 63 : name.endsWith('_TABLE') ? 110 : 160;
    const length = typeof value === 'string' ? value.length : Math.max(longest, joinedBytes(value));
    return sum + name.length + length;
  }, 0);
}

/** Names that are joined to one text, as long as CloudFormation makes names of tables and workflows. */
function joinedBytes(value: unknown): number {
  const { data } = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value);
  return (data?.['Fn::Join'][1] ?? []).reduce<number>(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 80),
    0,
  );
}

/** The resources of one type, with their logical ids. */
export function ofType({ resources }: Synthesized, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}
