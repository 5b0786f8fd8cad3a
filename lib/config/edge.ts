import * as z from 'zod';
import { certificateArn, domainProblems, hostedZoneSchema, hostname } from './domain.ts';
import { integer, type Profile } from './parts.ts';

const websiteSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'has 3 to 63 lower-case letters, digits, dots and hyphens')
    .describe('Name of the website, and of its distribution tenant.'),
  domains: z.array(hostname).min(1).max(10).describe('Host names of the website.'),
  certificateArn: certificateArn
    .regex(/:acm:us-east-1:/, 'CloudFront takes certificates of us-east-1 alone')
    .optional()
    .describe('A certificate for these domains, in place of the one for all.'),
});
export type Website = z.output<typeof websiteSchema>;

const signingSchema = z.strictObject({
  publicKey: z
    .string()
    .regex(/^-----BEGIN PUBLIC KEY-----\n[\s\S]+\n-----END PUBLIC KEY-----\n?$/, 'is not a public key in PEM')
    .describe('Public key in PEM, RSA of 2048 bits or ECDSA P-256. Who signs has the private one.'),
  paths: z
    .array(z.string().regex(/^\/[^\s"\\]{1,254}$/, 'is a path pattern that begins with a slash'))
    .min(1)
    .max(10)
    .describe('Path patterns of files that are served by signed URLs and cookies alone.'),
});

/** The distribution in front: its names, its certificate, and what keeps unwanted requests out. */
export const edgeSchema = (profile: Profile) =>
  z
    .strictObject({
      domains: z
        .array(hostname)
        .max(100)
        .default([])
        .describe(
          'Host names that the distribution answers under; none: the name that CloudFront gives it, which production does not take. Without `edge`, there is no Edge stack.',
        ),
      certificateArn: certificateArn
        .regex(/:acm:us-east-1:/, 'CloudFront takes certificates of us-east-1 alone')
        .optional()
        .describe('An existing certificate in us-east-1 that covers the domains; without it, one is made.'),
      hostedZone: hostedZoneSchema.optional(),
      websites: z
        .array(websiteSchema)
        .max(100)
        .default([])
        .describe(
          'Websites of tenants. With any, the distribution is a multi-tenant one, each website is a distribution tenant of it with a cache of its own, and `domains` stays empty.',
        ),
      signing: signingSchema.optional(),
      priceClass: z
        .enum(['100', '200', 'all'])
        .default('100')
        .describe(
          'From where CloudFront answers: 100 is North America, Europe and Israel, all is everywhere.',
        ),
      cacheTagHeader: z
        .string()
        .regex(/^[a-z0-9-]{1,128}$/, 'the name of a header in lower case')
        .default('x-amz-meta-cache-tag')
        .describe(
          'Response header in which an origin names the tags of a file, separated by commas. The default is the metadata `cache-tag` of an object in S3.',
        ),
      firewall: z
        .boolean()
        .default(profile === 'production')
        .describe('A WAF web ACL in front: bad addresses, known exploits, and a limit per address.'),
      requestsPer5Minutes: integer(10, 2_000_000_000)
        .default(10_000)
        .describe('Requests from one address within 5 minutes beyond which the firewall blocks it.'),
    })
    .superRefine((edge, context) => {
      const refuse = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      const names = edge.websites.flatMap((website) => [website.name, ...website.domains]);
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice !== undefined) refuse('websites', `${twice} is there twice`);
      if (edge.websites.length > 0) {
        if (edge.domains.length > 0) refuse('domains', 'a distribution has domains or websites, not both');
        for (const website of edge.websites) {
          const source = { ...edge, certificateArn: website.certificateArn ?? edge.certificateArn };
          for (const message of domainProblems(website.domains, source)) refuse('websites', message);
        }
        return;
      }
      if (edge.domains.length === 0) {
        if (profile === 'production') {
          refuse(
            'domains',
            'name at least one: only under a domain of its own can a distribution ask for TLS 1.2',
          );
        }
        for (const name of ['certificateArn', 'hostedZone'] as const) {
          if (edge[name] !== undefined) refuse(name, 'is for domains, and there are none');
        }
        return;
      }
      for (const message of domainProblems(edge.domains, edge)) refuse('domains', message);
    });

/** The settings of an edge. */
export type EdgeConfig = z.output<ReturnType<typeof edgeSchema>>;
