import * as z from 'zod';
import { warmingIdSchema } from '../ids.ts';
import { longestPath } from '../providers/normalise.ts';
import { siteFields } from '../purge/model.ts';

/** How many paths one warming has at most, how many characters they have together, and how many requests are made of them. */
export const mostPaths = 5_000;
export const mostCharacters = 262_144;
export const mostRequests = 20_000;

const path = z.string().min(1).max(longestPath);
export const prioritySchema = z.enum(['normal', 'high']);
export type Priority = z.output<typeof prioritySchema>;
export const encodingSchema = z.enum(['br', 'gzip', 'identity']);
export const imageFormatSchema = z.enum(['avif', 'webp']);

/** How paths are asked for, whatever names them. */
export const askingFields = {
  website: siteFields.website,
  priority: prioritySchema.default('normal').meta({
    description: '`high` goes first: before all that is `normal`, also while that is being warmed.',
  }),
  concurrency: z.number().int().min(1).max(20).default(5).meta({ description: 'Requests at the same time.' }),
  encodings: z
    .array(encodingSchema)
    .min(1)
    .max(3)
    .optional()
    .meta({ description: 'Default: `br` and `gzip` of what is compressed, `identity` of the rest.' }),
  imageFormats: z.array(imageFormatSchema).max(2).default([]).meta({
    description:
      'Also as browsers that take these formats ask for images. For edges whose cache key has `Accept`.',
  }),
};

const askingSchema = z.strictObject(askingFields);
export type Asking = z.output<typeof askingSchema>;

export const pathsField = z
  .array(z.union([path, z.strictObject({ path, priority: prioritySchema })]))
  .min(1)
  .max(mostPaths)
  .meta({
    description:
      'From the slash on; with a priority of their own those go first or last within this warming.',
  });

export const warmBodySchema = z
  .strictObject({ paths: pathsField, ...askingFields })
  .meta({ title: 'What to put into the cache' });
export type WarmBody = z.output<typeof warmBodySchema>;

export const popularField = z
  .number()
  .int()
  .min(1)
  .max(1_000)
  .meta({ description: 'How many paths, by requests within the last day.' });
export const tenantField = siteFields.tenant.meta({
  description: 'Warm the website of this tenant; popular paths are those of its own traffic then.',
});
export const popularBodySchema = z
  .strictObject({ top: popularField.default(100), tenant: tenantField, ...askingFields })
  .meta({ title: 'How many of the most wanted paths' });
export const userBodySchema = askingSchema.meta({ title: 'How to warm the paths of a user' });

const count = z.number().int().min(0);
const when = z.iso.datetime().nullable();

export const warmingSchema = z
  .strictObject({
    id: warmingIdSchema,
    state: z.enum(['queued', 'running', 'completed', 'failed', 'canceled']),
    trigger: z.enum(['api', 'purge', 'schedule']),
    priority: prioritySchema,
    domain: z.string(),
    concurrency: count,
    locations: z
      .array(z.string())
      .meta({ description: 'Edge locations that are asked one by one; none: the nearest.' }),
    progress: z.strictObject({
      requests: count.meta({ description: 'Paths, in each of their variants, at each location.' }),
      done: count,
      cold: count.meta({ description: 'Were not in the cache before.' }),
      warm: count.meta({ description: 'Were in the cache already.' }),
      failed: count,
      bytes: count,
    }),
    createdAt: z.iso.datetime(),
    startedAt: when,
    finishedAt: when,
    requestedBy: z.string().nullable(),
    scheduleId: z.string().nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ title: 'Warming' });
export type Warming = z.output<typeof warmingSchema>;

export const resultSchema = z
  .strictObject({
    path: z.string(),
    encoding: encodingSchema,
    imageFormat: imageFormatSchema.nullable(),
    location: z.string().nullable().meta({ description: 'The edge location that answered.' }),
    before: z.enum(['cold', 'warm', 'unknown']).nullable(),
    status: z.number().int().nullable(),
    bytes: count,
    durationMs: count.meta({ description: 'Of the last attempt.' }),
    attempts: count,
    error: z.string().nullable(),
  })
  .meta({ title: 'One request' });
export type Result = z.output<typeof resultSchema>;
