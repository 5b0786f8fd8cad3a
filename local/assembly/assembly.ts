import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      dependencies: z.array(z.string()).default([]),
      properties: z
        .object({ templateFile: z.string().optional(), stackName: z.string().optional() })
        .loose()
        .optional(),
    }),
  ),
});

const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string().optional(), packaging: z.string().optional() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() }).loose()),
    }),
  ),
});

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  Condition: z.string().optional(),
});

const templateSchema = z.object({
  Parameters: z
    .record(z.string(), z.object({ Type: z.string(), Default: z.unknown().optional() }).loose())
    .default({}),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resourceSchema).default({}),
  Outputs: z
    .record(
      z.string(),
      z
        .object({
          Value: z.unknown(),
          Condition: z.string().optional(),
          Export: z.object({ Name: z.unknown() }).optional(),
        })
        .loose(),
    )
    .default({}),
});

export type Template = z.infer<typeof templateSchema>;
export type TemplateResource = z.infer<typeof resourceSchema>;

export interface AssemblyStack {
  /** The artifact's id in the assembly. */
  id: string;
  /** The CloudFormation stack name. */
  name: string;
  template: Template;
}

/** A synthesized cloud assembly (`cdk.out`). */
export interface Assembly {
  /** Stacks in the order in which they deploy. */
  stacks: AssemblyStack[];
  /** The file or directory of an asset, by the object key under which it would be published. */
  assetPath(objectKey: string): string;
}

/**
 * Reads a cloud assembly from its directory.
 *
 * @throws when a file is missing, is not what the CDK writes, or when stacks depend on each other in a circle.
 */
export async function readAssembly(directory: string): Promise<Assembly> {
  const manifest = manifestSchema.parse(await readJson(join(directory, 'manifest.json')));
  const assets = new Map<string, string>();
  const stacks = new Map<string, AssemblyStack & { dependencies: string[] }>();

  for (const [id, artifact] of Object.entries(manifest.artifacts)) {
    if (artifact.type !== 'aws:cloudformation:stack') continue;
    const templateFile = artifact.properties?.templateFile ?? `${id}.template.json`;
    stacks.set(id, {
      id,
      name: artifact.properties?.stackName ?? id,
      template: templateSchema.parse(await readJson(join(directory, templateFile))),
      dependencies: artifact.dependencies,
    });
  }
  for (const [id, artifact] of Object.entries(manifest.artifacts)) {
    if (artifact.type !== 'cdk:asset-manifest') continue;
    const { files } = assetsSchema.parse(await readJson(join(directory, `${id}.json`)));
    for (const file of Object.values(files)) {
      if (file.source.path === undefined) continue;
      for (const destination of Object.values(file.destinations)) {
        assets.set(destination.objectKey, join(directory, file.source.path));
      }
    }
  }

  return {
    stacks: inDeploymentOrder(stacks),
    assetPath(objectKey) {
      const path = assets.get(objectKey);
      if (path === undefined) throw new Error(`The assembly ${directory} has no asset ${objectKey}.`);
      return path;
    },
  };
}

function inDeploymentOrder(
  stacks: ReadonlyMap<string, AssemblyStack & { dependencies: string[] }>,
): AssemblyStack[] {
  const ordered: AssemblyStack[] = [];
  const visiting = new Set<string>();
  const visit = (id: string): void => {
    const stack = stacks.get(id);
    if (stack === undefined || ordered.includes(stack)) return;
    if (visiting.has(id))
      throw new Error(`The stacks of the assembly depend on each other in a circle through ${id}.`);
    visiting.add(id);
    for (const dependency of stack.dependencies) visit(dependency);
    ordered.push(stack);
  };
  for (const id of stacks.keys()) visit(id);
  return ordered;
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
