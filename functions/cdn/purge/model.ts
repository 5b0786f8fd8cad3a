import * as z from 'zod';
import { purgeIdSchema, warmingIdSchema } from '../ids.ts';
import { longestPath, type QueryStrings } from '../providers/normalise.ts';
import { providerKinds } from '../providers/provider.ts';

/** How many paths, prefixes and tags one purge has at most, and how many characters they have together. */
export const mostItems = 3_000;
export const mostCharacters = 262_144;
/** How many paths are asked for before and after, to prove a purge. */
export const mostChecks = 10;

const text = (longest: number) => z.string().min(1).max(longest);
const list = (longest: number) => z.array(text(longest)).max(mostItems);
const hostname = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'is not a host name in lower case');

export const siteFields = {
  website: hostname.optional().meta({
    description: 'Of this website alone, by its host name. With nothing else: all of it.',
    examples: ['shop.example.com'],
  }),
  tenant: text(63)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is not the name of a tenant')
    .optional()
    .meta({ description: 'Of the website of this tenant alone. With nothing else: all of it.' }),
};

export const purgeBodySchema = z
  .strictObject({
    paths: list(longestPath)
      .default([])
      .meta({ description: 'Single paths, from the slash on.', examples: [['/index.html']] }),
    prefixes: list(longestPath)
      .default([])
      .meta({ description: 'Everything whose path begins so.', examples: [['/blog/']] }),
    tags: list(256).default([]).meta({ description: 'Everything that was served with one of these tags.' }),
    everything: z.boolean().default(false),
    ...siteFields,
    soft: z
      .boolean()
      .default(false)
      .meta({ description: 'Mark as stale, and serve that while the origin does not answer.' }),
    verify: z
      .boolean()
      .default(false)
      .meta({
        description: `Ask an edge location before and after, and be done only when it no longer has the content. Up to ${mostChecks} paths are asked for.`,
      }),
    verifyPaths: z.array(text(longestPath)).min(1).max(mostChecks).optional().meta({
      description: 'What to ask for. Default: the first of `paths`. Needed where there are none.',
    }),
    rewarm: z.boolean().default(false).meta({
      description: 'Put the paths into the cache again afterwards: `paths`, or else `verifyPaths`.',
    }),
  })
  .refine(
    ({ paths, prefixes, tags, everything, website, tenant }) =>
      everything ||
      website !== undefined ||
      tenant !== undefined ||
      paths.length + prefixes.length + tags.length > 0,
    { message: 'names nothing: paths, prefixes, tags, everything, website or tenant' },
  )
  .refine(({ paths, prefixes, tags }) => paths.length + prefixes.length + tags.length <= mostItems, {
    path: ['paths'],
    message: `together with prefixes and tags are more than ${mostItems}: use several purges, or prefixes`,
  })
  .meta({ title: 'What to purge' });
export type PurgeBody = z.output<typeof purgeBodySchema>;

const count = z.number().int().min(0);
const when = z.iso.datetime().nullable();
const duration = count.nullable();

const checkSchema = z
  .strictObject({
    path: z.string(),
    location: z.string().nullable().meta({ description: 'The edge location that was asked.' }),
    before: z.enum(['hit', 'miss', 'unknown']).nullable(),
    after: z.enum(['hit', 'miss', 'unknown']).nullable(),
    status: z.number().int().nullable().meta({ description: 'Of the answer afterwards.' }),
    outcome: z.enum(['confirmed', 'still-cached', 'inconclusive']).nullable().meta({
      description:
        '`confirmed`: a HIT before, and afterwards a MISS at the same location, or content younger than the purge. `inconclusive`: it was not in the cache before, or the location changed.',
    }),
  })
  .meta({ title: 'One proof' });

export const purgeSchema = z
  .strictObject({
    id: purgeIdSchema,
    state: z.enum(['queued', 'running', 'completed', 'failed', 'canceled']),
    stage: z
      .enum(['collecting', 'checking', 'submitting', 'following', 'verifying', 'rewarming', 'ended'])
      .meta({ description: 'What it is at. `submitting` also while it waits for room in the quota.' }),
    trigger: z
      .enum(['api', 'content'])
      .meta({ description: '`content`: files of the assets bucket have changed.' }),
    provider: z.enum(providerKinds),
    target: z.strictObject({
      kind: z.enum(['distribution', 'distribution-tenant', 'zone', 'service']),
      id: z.string(),
      domain: z.string(),
    }),
    items: z
      .strictObject({ paths: count, prefixes: count, tags: count, everything: z.boolean() })
      .meta({ description: 'After those that are there twice, or covered by others, were left out.' }),
    progress: z.strictObject({
      calls: count.meta({ description: 'Into how many calls of the provider it is divided.' }),
      submitted: count,
      completed: count,
    }),
    verification: z
      .strictObject({
        state: z.enum(['pending', 'confirmed', 'refuted', 'inconclusive']),
        checks: z.array(checkSchema),
      })
      .nullable(),
    warmingId: warmingIdSchema.nullable().meta({ description: 'The warming that follows it.' }),
    createdAt: z.iso.datetime(),
    submittedAt: when,
    purgedAt: when.meta({ description: 'When the last edge location had it.' }),
    finishedAt: when,
    durations: z
      .strictObject({ queuedMs: duration, purgeMs: duration, verifyMs: duration, rewarmMs: duration })
      .meta({
        description: 'From acceptance to the first call, to the last edge, to the proof, to the end.',
      }),
    requestedBy: z.string().nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ title: 'Purge' });
export type Purge = z.output<typeof purgeSchema>;
export type { QueryStrings };
