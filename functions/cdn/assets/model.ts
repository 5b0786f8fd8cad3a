import * as z from 'zod';
import { longestPath } from '../providers/normalise.ts';
import { providerKinds } from '../providers/provider.ts';
import { siteFields } from '../purge/model.ts';

/** How long a file of a class is kept, as `GET /api/cdn/status` lists it. */
export const cachePolicySchema = z.strictObject({
  name: z.string(),
  patterns: z.array(z.string()),
  edgeSeconds: z.number().int().min(0).meta({ description: 'Where the origin says nothing.' }),
  longestSeconds: z.number().int().min(0).meta({ description: 'Whatever the origin says.' }),
  cacheControl: z.string(),
});

/** The key group that CloudFront checks signed URLs with. */
export const signingSchema = z.strictObject({
  publicKeyId: z.string().min(1).max(128),
  privateKeySecretArn: z.string().startsWith('arn:'),
});

export const statusSchema = z
  .strictObject({
    provider: z.enum(providerKinds).nullable().meta({ description: '`null`: none is configured.' }),
    reachable: z.boolean(),
    breaker: z.enum(['closed', 'open', 'half-open']).nullable(),
    id: z.string().nullable().meta({ description: 'Of the distribution, zone or service.' }),
    domain: z.string().nullable(),
    enabled: z.boolean(),
    state: z.string().nullable().meta({ description: 'The provider’s own word for how far it is deployed.' }),
    purgesInProgress: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: '`null`: the provider does not say, or there is none in between.' }),
    supported: z.array(z.string()).meta({ description: 'What the provider can purge.' }),
    signedUrls: z.boolean(),
    purgesChangedContent: z.boolean(),
    cachePolicies: z
      .array(cachePolicySchema)
      .meta({ description: 'Of the distribution that this deployment has made; the first that fits holds.' }),
    error: z.string().nullable(),
  })
  .meta({ title: 'CDN' });

const seconds = z.coerce.number().int().min(60).max(604_800);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const urlQuerySchema = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(longestPath)
    .meta({ description: 'From the slash on.', examples: ['/media/a.png'] }),
  website: siteFields.website,
  versioned: flag
    .default(true)
    .meta({ description: 'With a hash of the file’s content: browsers ask anew when it has changed.' }),
  signed: flag
    .default(false)
    .meta({ description: 'Good for a while, and for nobody without the signature.' }),
  expiresInSeconds: seconds
    .default(3_600)
    .meta({ description: 'Of a signed URL, and of one of the origin: from a minute to seven days.' }),
});
export type UrlQuery = z.output<typeof urlQuerySchema>;

export const assetUrlSchema = z
  .strictObject({
    url: z.url(),
    source: z.enum(['edge', 'origin']),
    reason: z
      .enum(['no-provider', 'unreachable', 'disabled'])
      .nullable()
      .meta({ description: 'Why it is the origin’s.' }),
    path: z.string(),
    version: z
      .strictObject({ algorithm: z.enum(['sha256', 'etag']), value: z.string() })
      .nullable()
      .meta({ description: 'What the content is known by; in the URL its first 16 digits.' }),
    signed: z.boolean(),
    expiresAt: z.iso.datetime().nullable(),
  })
  .meta({ title: 'URL of a file' });
export type AssetUrl = z.output<typeof assetUrlSchema>;

export const cacheBodySchema = z
  .strictObject({
    path: z.string().min(1).max(longestPath).meta({ description: 'From the slash on.' }),
    website: siteFields.website,
  })
  .meta({ title: 'What to put into the cache' });

export const cachedSchema = z
  .strictObject({
    path: z.string(),
    domain: z.string(),
    location: z.string().nullable().meta({ description: 'The edge location that has answered.' }),
    before: z.enum(['cold', 'warm', 'unknown']),
    cached: z.boolean().meta({ description: 'Whether a second request was answered from the cache.' }),
    status: z.number().int(),
    bytes: z.number().int().min(0),
    durationMs: z.number().int().min(0).meta({ description: 'Of the first request.' }),
  })
  .meta({ title: 'One path in the cache' });
