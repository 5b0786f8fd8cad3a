import * as z from 'zod';

/** The most bytes of a body as it is sent: Lambda takes 6 MB of base64. */
export const maximumSentBytes = 4 * 1024 * 1024;
/** The most bytes of a body when it is unpacked. */
export const maximumUnpackedBytes = 32 * 1024 * 1024;
/** The most spans of a request. */
export const maximumSpans = 20_000;
/** How far ahead of this clock a span may start. */
export const maximumAheadMs = 24 * 3_600_000;
/** The most characters of the name of a span, an event or an attribute. */
export const maximumName = 1_024;
/** How deep values may lie in values. */
export const maximumValueDepth = 8;

/** What a span may have; what is beyond is cut or dropped, and the span says so. */
export const spanLimitsSchema = z.strictObject({
  valueChars: z
    .int()
    .min(64)
    .max(16_384)
    .default(4_096)
    .describe('Characters of one attribute’s value; longer ones are cut, and the span says so.'),
  attributes: z
    .int()
    .min(8)
    .max(1_024)
    .default(128)
    .describe('Attributes of a span, an event, a link or a resource; more are dropped and counted.'),
  events: z.int().min(1).max(1_024).default(128).describe('Events of a span; more are dropped and counted.'),
  links: z.int().min(1).max(1_024).default(128).describe('Links of a span; more are dropped and counted.'),
  spanChars: z
    .int()
    .min(4_096)
    .max(131_072)
    .default(65_536)
    .describe('Characters of all that a span has; what does not fit is dropped and counted.'),
});
export type SpanLimits = z.output<typeof spanLimitsSchema>;
