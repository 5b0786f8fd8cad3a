import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import { templatesOf } from './templates.ts';

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

/** Synthesizes an environment, with all its checks. Settings, where given, take the place of those in cdk.json. */
export function synthesize(environment = 'dev', settings: unknown = mainstay.environments[environment]) {
  return read(environment, settings, true);
}

/** The same without the CDK's own checks of the templates, which take most of its time. */
export function synthesizeUnchecked(...[environment = 'dev', settings]: Parameters<typeof synthesize>) {
  return read(environment, settings ?? mainstay.environments[environment], false);
}

function read(environment: string, settings: unknown, validation: boolean) {
  const templates = templatesOf({ environment, settings, validation });
  const prefix = `Mainstay-${environment}-`;
  const stacks = new Map(
    Object.entries(templates).map(([name, template]): [string, Synthesized] => [
      name.slice(prefix.length),
      {
        template: Template.fromJSON(template),
        resources: z.object({ Resources: z.record(z.string(), resourceSchema) }).parse(template).Resources,
      },
    ]),
  );
  const names = [...stacks.keys()];
  const stack = (name: string): Synthesized => {
    const found = stacks.get(name);
    if (found === undefined) throw new Error(`${environment} has no stack ${name}, only ${names.join(', ')}`);
    return found;
  };
  return { names, stacks, stack, stateful: stack('Stateful'), platform: stack('Platform') };
}

/** The resources of one type, with their logical ids. */
export function ofType({ resources }: Synthesized, type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}
