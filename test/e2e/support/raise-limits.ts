import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Properties: z
        .looseObject({
          Environment: z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).optional(),
        })
        .optional(),
    }),
  ),
});

/**
 * Lets one address do what hundreds of tests do from one address: in an assembly, for requests without a key and for
 * refused ones.
 *
 * @throws when no function of the assembly has a policy.
 */
export async function raiseLimits(
  assembly: string,
  limits: { withoutKey: number; failedCredentials: number },
): Promise<void> {
  let changed = 0;
  for (const name of await readdir(assembly)) {
    if (!name.endsWith('.template.json')) continue;
    const path = join(assembly, name);
    const template = templateSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    for (const { Properties } of Object.values(template.Resources)) {
      const variables = Properties?.Environment?.Variables;
      if (typeof variables?.ACCESS_POLICY !== 'string') continue;
      const policy: { withoutKey: object; failedCredentials: object } = JSON.parse(variables.ACCESS_POLICY);
      variables.ACCESS_POLICY = JSON.stringify({
        ...policy,
        withoutKey: { ...policy.withoutKey, requests: limits.withoutKey },
        failedCredentials: { ...policy.failedCredentials, attempts: limits.failedCredentials },
      });
      changed++;
    }
    await writeFile(path, JSON.stringify(template));
  }
  if (changed === 0) throw new Error('No function of the assembly has an access policy.');
}
