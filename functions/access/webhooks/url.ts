import * as z from 'zod';

/** Says what is wrong with the form of an endpoint's URL; where it leads is another matter. */
function complaint(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !['https:', 'http:'].includes(url.protocol)) return 'is not a URL of https';
  if (url.username !== '' || url.password !== '') return 'holds credentials';
  if (text.includes('#')) return 'has a fragment';
  return undefined;
}

export const webhookUrlSchema = z
  .string()
  .max(2_048)
  .superRefine((text, context) => {
    const message = complaint(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({
    description:
      'https; http only within private networks that the configuration allows. Its host has public addresses only.',
    examples: ['https://example.com/hooks/mainstay'],
  });
