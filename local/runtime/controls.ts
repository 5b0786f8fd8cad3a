import * as z from 'zod';
import { control, controlApi } from '../control/control-api.ts';
import { flipBit } from '../control/flip-bit.ts';
import { postgresControls } from '../control/postgres-controls.ts';
import type { ArmedKill, Kill } from '../lambda/faults.ts';
import type { Parts } from './parts.ts';

const killSchema = z.object({
  /** Part of the function's name, for example its logical id. */
  function: z.string().min(1),
  plan: z.discriminatedUnion('when', [
    z.strictObject({ when: z.literal('next-invocation'), afterMs: z.number().default(0) }),
    z.strictObject({ when: z.literal('after'), afterMs: z.number().default(0) }),
    z.strictObject({ when: z.literal('log-line'), matching: z.string() }),
  ]),
});
const objectSchema = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  offset: z.number().int().optional(),
  bit: z.number().int().min(0).max(7).optional(),
});

/** Offers what tests and the demo do to a running platform: broken disks, lost machines. */
export function registerControls({ endpoint, s3, lambda, postgres }: Parts): void {
  const planned = new Set<ArmedKill>();
  const killed: Kill[] = [];
  endpoint.register(
    controlApi({
      ...postgresControls(postgres),
      's3/flip-bit': control(objectSchema, async ({ bucket, key, versionId, offset, bit }) => ({
        offset: await flipBit(s3.dataFile(bucket, key, versionId), offset, bit),
      })),
      'lambda/kill': control(killSchema, ({ function: part, plan }) => {
        const functions = lambda.functions().filter(({ definition }) => definition.name.includes(part));
        const [found] = functions;
        if (found === undefined || functions.length > 1)
          throw new Error(`${functions.length} functions match ${part}.`);
        const kill = lambda.kill(found.definition.name, plan);
        planned.add(kill);
        void kill.fired.then((victims) => {
          planned.delete(kill);
          killed.push(...victims);
        });
      }),
      /** What has been killed since the last `lambda/spare`, and how many kills are still to come. */
      'lambda/kills': control(z.object({}), () => ({ killed, planned: planned.size })),
      'lambda/spare': control(z.object({}), () => {
        for (const kill of planned) kill.cancel();
        planned.clear();
        killed.length = 0;
      }),
      'lambda/environments': control(z.object({}), () => ({ environments: lambda.environments() })),
      'lambda/peak-rss': control(z.object({ function: z.string() }), ({ function: part }) => ({
        bytes: Math.max(
          0,
          ...lambda
            .functions()
            .filter(({ definition }) => definition.name.includes(part))
            .map(({ definition }) => lambda.peakRssBytes(definition.name)),
        ),
      })),
    }),
  );
}
