import * as z from 'zod';
import { certificateArn, domainProblems, hostedZoneSchema, hostname } from './domain.ts';
import { integer, type Profile } from './parts.ts';

/** The distribution in front: its names, its certificate, and what keeps unwanted requests out. */
export const edgeSchema = (profile: Profile) =>
  z
    .strictObject({
      domains: z
        .array(hostname)
        .min(1)
        .max(100)
        .describe('Host names that the distribution answers under. Without `edge`, there is no Edge stack.'),
      certificateArn: certificateArn
        .regex(/:acm:us-east-1:/, 'CloudFront takes certificates of us-east-1 alone')
        .optional()
        .describe('An existing certificate in us-east-1 that covers the domains; without it, one is made.'),
      hostedZone: hostedZoneSchema.optional(),
      priceClass: z
        .enum(['100', '200', 'all'])
        .default('100')
        .describe(
          'From where CloudFront answers: 100 is North America, Europe and Israel, all is everywhere.',
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
      for (const message of domainProblems(edge.domains, edge)) {
        context.addIssue({ code: 'custom', path: ['domains'], message });
      }
    });

/** The settings of an edge. */
export type EdgeConfig = z.output<ReturnType<typeof edgeSchema>>;
