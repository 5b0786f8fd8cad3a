import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.looseObject({}).optional() }),
  ),
});
const policySchema = z.looseObject({
  PolicyDocument: z.looseObject({ Statement: z.array(z.looseObject({ Action: z.unknown() })) }),
});

/** One statement to leave out: of a policy whose logical id holds `policy`, the one that allows `action`. */
export interface MissingGrant {
  policy: string;
  action: string;
}

/**
 * Copies a cloud assembly and leaves statements out of its policies, as if somebody had forgotten them.
 *
 * @throws when a statement is not there.
 */
export async function assemblyWithout(
  source: string,
  target: string,
  grants: readonly MissingGrant[],
): Promise<void> {
  await cp(source, target, { recursive: true, filter: (path) => !/\/asset\.[^/]+$/.test(path) });
  for (const name of await readdir(source)) {
    if (name.startsWith('asset.')) await symlink(join(source, name), join(target, name));
  }
  const missing = new Set(grants);
  for (const name of await readdir(target)) {
    if (!name.endsWith('.template.json')) continue;
    const path = join(target, name);
    const template = templateSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    for (const [logicalId, resource] of Object.entries(template.Resources)) {
      if (resource.Type !== 'AWS::IAM::Policy') continue;
      const { PolicyDocument } = policySchema.parse(resource.Properties);
      for (const grant of grants) {
        if (!logicalId.includes(grant.policy)) continue;
        const kept = PolicyDocument.Statement.filter(({ Action }) => ![Action].flat().includes(grant.action));
        if (kept.length < PolicyDocument.Statement.length) missing.delete(grant);
        resource.Properties = {
          ...resource.Properties,
          PolicyDocument: { ...PolicyDocument, Statement: kept },
        };
      }
    }
    await writeFile(path, JSON.stringify(template));
  }
  if (missing.size > 0) throw new Error(`Not in the assembly: ${JSON.stringify([...missing])}`);
}
