import * as z from 'zod';

/** A name that DNS takes, such as `api.example.com`. */
export const hostname = z
  .string()
  .max(253)
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'a host name in lower case, such as api.example.com',
  );

/** The Route 53 zone in which records are made: for the domain itself, and to validate a certificate. */
export const hostedZoneSchema = z.strictObject({
  id: z
    .string()
    .regex(/^Z[A-Z0-9]{1,31}$/, 'the id of a hosted zone starts with Z')
    .describe('Id of the Route 53 hosted zone that gets the records of the domain.'),
  name: hostname.describe('The zone’s own name. The domain is the same or ends with it.'),
});

/** ARN of a certificate in AWS Certificate Manager. */
export const certificateArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/, 'not the ARN of a certificate');

/** Where the certificate and the records of a domain come from. */
export interface DomainSource {
  certificateArn?: string | undefined;
  hostedZone?: z.output<typeof hostedZoneSchema> | undefined;
}

/** What is wrong with domains and where their certificate comes from, one sentence per problem. */
export function domainProblems(
  domains: readonly string[],
  { certificateArn, hostedZone }: DomainSource,
): string[] {
  if (hostedZone === undefined) {
    return certificateArn === undefined
      ? ['needs a certificate: set certificateArn, or hostedZone to have one made and validated there']
      : [];
  }
  return domains
    .filter((domain) => domain !== hostedZone.name && !domain.endsWith(`.${hostedZone.name}`))
    .map((domain) => `${domain} is not in the hosted zone ${hostedZone.name}`);
}
